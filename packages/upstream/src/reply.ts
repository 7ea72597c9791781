/** What came of one exchange with an upstream, and what that means for the line that was sent. */

export type UpstreamReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** The body's bytes as received. */
      readonly body: Buffer;
      /** `x-request-id`. */
      readonly requestId: string | null;
      /** From `retry-after-ms` or `retry-after`; at most a day. */
      readonly retryAfterMs: number | null;
    }
  /** No connection came about: nothing was sent. */
  | { readonly kind: "refused"; readonly message: string }
  /** The connection ended, or what came was not HTTP, after something may have been sent. */
  | { readonly kind: "broken"; readonly message: string }
  /** The whole exchange took longer than the upstream's time-out. */
  | { readonly kind: "timeout"; readonly message: string };

/**
 * `success`: an output line. `answer`: the upstream's own error, recorded as it is. `retry`: burns an attempt.
 * `throttled`: the upstream wants peace; burns none.
 */
export type ReplyClass = "success" | "answer" | "next_attempt" | "throttled";

/** The failure table of the design, for one reply. */
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
