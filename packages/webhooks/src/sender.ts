/** Sends one attempt of a delivery and describes its outcome. */
import { Type } from "@sinclair/typebox";
import { systemResolve, type Resolve } from "./guarded-lookup.ts";
import { post } from "./post.ts";
import { signedHeaders } from "./signature.ts";

/** Covers lookup, connection and reply. A receiver should acknowledge first and process the event afterwards. */
const TIMEOUT_MS = 10_000;

export interface WebhookMessage {
  readonly url: string;
  readonly secret: string;
  /** The id, `wh_…`. It is the same for all attempts of a delivery. */
  readonly id: string;
  /** The event as JSON. */
  readonly body: string;
}

export interface SendOutcome {
  /** True if the receiver acknowledged with any 2xx status. */
  readonly isAcknowledged: boolean;
  /** The status of the reply. Null if there was no reply. */
  readonly status: number | null;
  /** Why the attempt failed, for people. Null if the event was acknowledged. */
  readonly error: string | null;
}

export interface WebhookSender {
  /** Rejects only if `signal` aborts. It is then unknown whether the receiver got the message. */
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
  /** The value of NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

/** Creates a sender, which opens a new connection for each message. */
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

/** Any 2xx acknowledges, and a redirect is a failure: contract §1.4. */
function judge(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { isAcknowledged: true, status, error: null };
  const isRedirect = status >= 300 && status < 400;
  const error = `answered ${String(status)}${isRedirect ? ", and redirects are not followed" : ""}`;
  return { isAcknowledged: false, status, error };
}

const MAX_ERROR_LENGTH = 300;

/** Reads fields and does not use `instanceof`, because the platform's errors may come from another realm. */
function describe(error: unknown, timeoutMs: number): string {
  const {
    name,
    message = "",
    code,
  } = error as { readonly name?: string; readonly message?: string; readonly code?: string };
  if (name === "TimeoutError") return `no answer within ${String(timeoutMs / 1_000)} s`;
  // Node's AggregateError for a name with several addresses has a code but no message.
  const text = message === "" ? (code ?? name ?? "could not be sent") : message;
  return text.slice(0, MAX_ERROR_LENGTH);
}
