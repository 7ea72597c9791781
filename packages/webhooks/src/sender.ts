/** Sends one attempt of a delivery, and says in a few words what came of it. */
import { Type } from "@sinclair/typebox";
import { systemResolve, type Resolve } from "./guarded-lookup.ts";
import { post } from "./post.ts";
import { signedHeaders } from "./signature.ts";

/** Look-up, connection and reply together; a receiver should acknowledge first and work afterwards. */
const TIMEOUT_MS = 10_000;

export interface WebhookMessage {
  readonly url: string;
  readonly secret: string;
  /** `wh_…`: the same over all attempts of a delivery. */
  readonly id: string;
  /** The event as JSON. */
  readonly body: string;
}

export interface SendOutcome {
  /** True where the receiver acknowledged: any 2xx. */
  readonly isAcknowledged: boolean;
  /** Of the reply; null where none came. */
  readonly status: number | null;
  /** Why it is not acknowledged, for people; null where it is. */
  readonly error: string | null;
}

export interface WebhookSender {
  /** Rejects only where `signal` ended it; whether the receiver got the message is unknown then. */
  send(message: WebhookMessage, now: Date, signal: AbortSignal): Promise<SendOutcome>;
}

/** Variables that every process that sends webhooks adds to the schema of its environment. */
export const WebhookVariables = {
  NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: Type.Boolean({
    default: false,
    description: "true or false: whether webhooks may go to this machine and to private networks",
  }),
};

export interface WebhookSenderOptions {
  /** NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

/** Opens nothing: each message has a connection of its own. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { allowPrivate, resolve = systemResolve, timeoutMs = TIMEOUT_MS } = options;
  return {
    async send({ url, secret, id, body }, now, signal) {
      const headers = {
        "content-type": "application/json",
        "user-agent": "Nightshift-Webhooks/1",
        ...signedHeaders(secret, id, now, body),
      };
      try {
        return judge(await post(new URL(url), { headers, body, timeoutMs, allowPrivate, resolve, signal }));
      } catch (error) {
        signal.throwIfAborted();
        return { isAcknowledged: false, status: null, error: describe(error, timeoutMs) };
      }
    },
  };
}

/** Contract §1.4: any 2xx acknowledges, and a redirect is a failure. */
function judge(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { isAcknowledged: true, status, error: null };
  const isRedirect = status >= 300 && status < 400;
  const error = `answered ${String(status)}${isRedirect ? ", and redirects are not followed" : ""}`;
  return { isAcknowledged: false, status, error };
}

const MAX_ERROR_LENGTH = 300;

/** Not by `instanceof`: errors of the platform may come from another realm. */
function describe(error: unknown, timeoutMs: number): string {
  const {
    name,
    message = "",
    code,
  } = error as { readonly name?: string; readonly message?: string; readonly code?: string };
  if (name === "TimeoutError") return `no answer within ${String(timeoutMs / 1_000)} s`;
  // Node's AggregateError of a name with several addresses has a code and no message.
  const text = message === "" ? (code ?? name ?? "could not be sent") : message;
  return text.slice(0, MAX_ERROR_LENGTH);
}
