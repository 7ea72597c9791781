/** The one way in: from a folder to the URL of a running Postgres. */
import { createServer } from "node:net";
import { once } from "node:events";
import { DATABASE_USER, ensureCluster } from "./cluster.ts";
import { LocalPostgresError } from "./errors.ts";
import { findHome, noteMade, type Home } from "./home.ts";
import { stopLeftovers } from "./leftovers.ts";
import { installedNative, usableNative, type Native } from "./native.ts";
import { spawnServer, untilReady } from "./server.ts";

/** The part of pino's logger that is used. */
export interface LocalPostgresLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface LocalPostgresOptions {
  /**
   * The cluster's folder, made if missing. The caller holds it: a Postgres found running there is taken for a
   * leftover and stopped. Deleting the folder, Postgres stopped, means starting afresh.
   */
  readonly dir: string;
  /** Tried first, so that a restart keeps its URL; any free port otherwise. */
  readonly port?: number;
  /** Settings of Postgres over ours, by name; e.g. `{ fsync: "off" }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Environment of the server; ours unless given. As root, its process can be looked into by all others of `nobody`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly logger?: LocalPostgresLogger;
}

export interface LocalPostgres {
  /** `postgres://nightshift:…@127.0.0.1:PORT/postgres`, with the rights of a superuser. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with a sentence about how Postgres ended, also when `stop` ended it. */
  readonly exited: Promise<string>;
  /** Ends sessions, writes a checkpoint, ends Postgres; after 10 s without the checkpoint. */
  stop(): Promise<void>;
}

const PORT_ATTEMPTS = 5;

/**
 * Runs a real Postgres in `dir` on a loopback port, as an ordinary user or as root, going on with the data that is
 * there, whatever state the last run left it in. Throws LocalPostgresError with a message for the terminal.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const home = await findHome(options.dir);
  const stopped = await stopLeftovers(home.folder);
  if (stopped > 0) options.logger?.warn({ home: home.folder, stopped }, "stopped a Postgres that outlived its parent");
  const native = await usableNative(await installedNative(), home.account, home.copiesFolder);
  const { password, isNew } = await ensureCluster(home, native);
  await noteMade(options.dir);
  if (isNew) options.logger?.info({ home: home.folder }, "made a new database cluster");
  return serve(home, native, password, options);
}

async function serve(
  home: Home,
  native: Native,
  password: string,
  options: LocalPostgresOptions,
): Promise<LocalPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const port = attempt === 1 && options.port !== undefined ? options.port : await freePort();
    const server = await spawnServer(home, native, { port, settings: options.settings ?? {}, env: options.env });
    const url = `postgres://${DATABASE_USER}:${password}@127.0.0.1:${String(port)}/postgres`;
    try {
      await untilReady(server, url, home);
      return { url, port, pid: server.pid, exited: server.exited, stop: () => server.stop() };
    } catch (error) {
      await server.stop();
      const isPortTaken = error instanceof LocalPostgresError && error.message.includes("Address already in use");
      if (!isPortTaken || attempt >= PORT_ATTEMPTS) throw error;
    }
  }
}

/** Free at the moment of asking: somebody may take it before Postgres does. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the probe has no port");
  return address.port;
}
