/** The admin API of a Nightshift, as the command line calls it: which server, which key, and its errors in words for people. */
import { StartupError } from "@nightshift/service";
import { findAdminKey } from "../machine/keys.ts";
import { runningUrl, type ServerDeps } from "../server/server.ts";

const TIMEOUT_MS = 30_000;

/** What the command line says about the server. */
export interface AdminChoice {
  readonly server?: string;
  readonly adminKey?: string;
}

export type AdminMethod = "GET" | "POST" | "DELETE";

/** Calls a path below /admin/v1 and resolves with the reply's JSON. Rejects with StartupError that says what the server said. */
export type AdminCall = (method: AdminMethod, path: string, body?: object) => Promise<Record<string, unknown>>;

/**
 * The server named by --server, else the one that runs on the data folder; none is started for the command. Never the one of
 * OPENAI_BASE_URL, which may be another company's: the admin key goes only where it was told to. Rejects with StartupError.
 */
export async function openAdminApi({ server, adminKey }: AdminChoice, deps: ServerDeps): Promise<AdminCall> {
  const { config, life } = deps;
  const running = await runningUrl(config, life.stopping);
  const origin = server === undefined ? running : new URL(server).origin;
  if (origin === null) {
    throw new StartupError(
      `No Nightshift runs with the data folder ${config.dataDir}: start it with npm start, or name a server by --server.`,
    );
  }
  const key = adminKey ?? (origin === running ? await findAdminKey(config) : config.adminKey);
  if (key === null) {
    throw new StartupError(`${origin} wants its admin key: give it by --admin-key, or set NIGHTSHIFT_ADMIN_KEY.`);
  }
  return createAdminCall(origin, key, life.stopping);
}

/** Calls that end with the signal, or after 30 s without an answer. */
function createAdminCall(origin: string, key: string, signal: AbortSignal): AdminCall {
  return async (method, path, body) => {
    const url = `${origin}/admin/v1${path}`;
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const init = { method, headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) };
    const reply = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) }).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
        throw new StartupError(`${origin} does not answer: ${innermost(error)}`, { cause: error });
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
      `${origin} answered with status ${String(reply.status)}, not as Nightshift's admin API does.`,
    );
  }
  if (reply.status === 404 && message.includes("/admin/v1")) {
    throw new StartupError(`${origin} has no admin API: it was started without NIGHTSHIFT_ADMIN_KEY, or is older.`);
  }
  const hint = reply.status === 401 ? " Give the right one by --admin-key." : "";
  throw new StartupError(`${origin} refused: ${message}${hint}`);
}

/** The reason that fetch wraps: "connect ECONNREFUSED ..." instead of "fetch failed". */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
