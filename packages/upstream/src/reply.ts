/** The outcome of one exchange with an upstream, and its meaning for the line that was sent. */

export type UpstreamReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** The body's bytes as received. */
      readonly body: Buffer;
      /** The value of the header `x-request-id`. Null if there is none. */
      readonly requestId: string | null;
      /** The wait from `retry-after-ms` or `retry-after`, at most a day. Null if there is none. */
      readonly retryAfterMs: number | null;
    }
  /** There was no connection, so nothing was sent. */
  | { readonly kind: "refused"; readonly message: string }
  /** The connection failed, or the reply was not HTTP, after the request may have been sent. */
  | { readonly kind: "broken"; readonly message: string }
  /** The exchange took longer than the upstream's timeout. */
  | { readonly kind: "timeout"; readonly message: string };

/**
 * `success` becomes an output line. `answer` is the upstream's own error, recorded unchanged. `next_attempt` uses up an
 * attempt. `throttled` pauses the upstream and does not use up an attempt.
 */
export type ReplyClass = "success" | "answer" | "next_attempt" | "throttled";

/** Classifies a reply by the failure table of docs/architecture.md. */
export function classify(reply: UpstreamReply): ReplyClass {
  switch (reply.kind) {
    case "refused":
      return "throttled";
    case "broken":
    case "timeout":
      return "next_attempt";
    case "answer":
      return classifyStatus(reply.status);
  }
}

function classifyStatus(status: number): ReplyClass {
  if (status >= 200 && status < 300) return "success";
  if (status === 429 || status === 503) return "throttled";
  if (status === 408 || status === 409 || status >= 500) return "next_attempt";
  return "answer";
}
