/** Starts Postgres in a folder and returns its URL. */
import { createServer } from "node:net";
import { once } from "node:events";
import { DATABASE_USER, ensureCluster } from "./cluster.ts";
import { LocalPostgresError } from "./errors.ts";
import { findHome, noteMade, type Home } from "./home.ts";
import { stopLeftovers } from "./leftovers.ts";
import { installedNative, usableNative, type Native } from "./native.ts";
import { spawnServer, untilReady } from "./server.ts";

/** The part of pino's logger that this package uses. */
export interface LocalPostgresLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface LocalPostgresOptions {
  /**
   * The cluster's folder, created if missing. Only one caller may use it: a Postgres that already runs there counts as
   * a leftover and is stopped. Deleting the folder while Postgres is stopped gives a fresh start.
   */
  readonly dir: string;
  /** The port to try first, so that a restart keeps its URL. If it is taken, any free port is used. */
  readonly port?: number;
  /** Settings of Postgres that override the defaults, such as `{ fsync: "off" }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * The server's environment, by default this process's own. If this process is root, every process of `nobody` can
   * read it.
   */
  readonly env?: NodeJS.ProcessEnv;
  readonly logger?: LocalPostgresLogger;
}

export interface LocalPostgres {
  /** `postgres://nightshift:…@127.0.0.1:PORT/postgres`, with the rights of a superuser. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with a sentence about how Postgres ended, even if `stop` ended it. */
  readonly exited: Promise<string>;
  /** Ends sessions, writes a checkpoint and stops Postgres. After 10 s, stops it without the checkpoint. */
  stop(): Promise<void>;
}

const PORT_ATTEMPTS = 5;

/**
 * Runs a real Postgres in `dir` on a loopback port, as an ordinary user or as root. Continues with the existing data,
 * in whatever state the last run left it. Throws LocalPostgresError with a message for the terminal.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const home = await findHome(options.dir);
  const stopped = await stopLeftovers(home.folder);
  if (stopped > 0) options.logger?.warn({ home: home.folder, stopped }, "stopped a Postgres that outlived its parent");
  const native = await usableNative(await installedNative(), home.account, home.copiesFolder);
  const { password, isNew } = await ensureCluster(home, native);
  await noteMade(options.dir);
  if (isNew) options.logger?.info({ home: home.folder }, "created a new database cluster");
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

/** Returns a port that is free now. Another program may take it before Postgres does. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the probe has no port");
  return address.port;
}
