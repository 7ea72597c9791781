/** Calls the admin API of a server: chooses the server and the key, and turns errors into messages for users. */
import { StartupError } from "@nightshift/service";
import { findAdminKey } from "../machine/keys.ts";
import { rootMessage } from "../server/client.ts";
import { runningUrl, type CommandDeps } from "../server/server.ts";

const TIMEOUT_MS = 30_000;

/** The command line options that choose a server. */
export interface AdminChoice {
  readonly server?: string;
  readonly adminKey?: string;
}

export type AdminMethod = "GET" | "POST" | "DELETE";

/**
 * Calls a path below /admin/v1 and resolves with the JSON of the reply. Rejects with StartupError and the server's
 * message.
 */
export type AdminCall = (method: AdminMethod, path: string, body?: object) => Promise<Record<string, unknown>>;

/**
 * Opens the admin API of the server in --server, or of the local server for the data folder. Does not start a server.
 * Ignores OPENAI_BASE_URL, because it may name another company's server, which must not get the admin key. Rejects with
 * StartupError.
 */
export async function openAdminApi({ server, adminKey }: AdminChoice, deps: CommandDeps): Promise<AdminCall> {
  const { config, life } = deps;
  const running = await runningUrl(config, life.stopping);
  const origin = server === undefined ? running : new URL(server).origin;
  if (origin === null) {
    throw new StartupError(
      `Nightshift is not running for the data folder ${config.dataDir}. Start it with npm start, or pass --server.`,
    );
  }
  const key = adminKey ?? (origin === running ? await findAdminKey(config) : config.adminKey);
  if (key === null) {
    throw new StartupError(`${origin} needs its admin key. Pass it with --admin-key, or set NIGHTSHIFT_ADMIN_KEY.`);
  }
  return createAdminCall(origin, key, life.stopping);
}

/** A call ends when `signal` aborts, or after 30 s without a reply. */
function createAdminCall(origin: string, key: string, signal: AbortSignal): AdminCall {
  return async (method, path, body) => {
    const url = `${origin}/admin/v1${path}`;
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const init = { method, headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) };
    const reply = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) }).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
        throw new StartupError(`${origin} does not answer: ${rootMessage(error)}`, { cause: error });
      },
    );
    return readReply(origin, reply);
  };
}

async function readReply(origin: string, reply: Response): Promise<Record<string, unknown>> {
  const body = (await reply.json().catch(() => null)) as Record<string, unknown> | null;
  if (reply.ok && body !== null) return body;
  const message = (body?.["error"] as { message?: unknown } | undefined)?.message;
  if (typeof message !== "string") {
    throw new StartupError(
      `${origin} replied with status ${String(reply.status)}, but not in the format of Nightshift's admin API.`,
    );
  }
  if (reply.status === 404 && message.includes("/admin/v1")) {
    throw new StartupError(
      `${origin} does not have an admin API. It runs without NIGHTSHIFT_ADMIN_KEY, or it is an older version.`,
    );
  }
  const hint = reply.status === 401 ? " Pass the right key with --admin-key." : "";
  throw new StartupError(`${origin} refused: ${message}${hint}`);
}
