/**
 * Replies to malformed HTTP that never reaches Express, with the error envelope and a request id that is in the log.
 */
import { STATUS_CODES } from "node:http";
import { errors, newRequestId, type RandomBytes, type RequestError } from "@nightshift/domain";
import type { AnswerFault, ConnectionFault, Logger } from "@nightshift/service";
import { answerOf, errorReply } from "./error-handler.ts";

/** Node's default limit for the request line and headers together (`--max-http-header-size`). */
export const MAX_HEAD_BYTES = 16_384;

export interface ConnectionFaultDeps {
  readonly logger: Pick<Logger, "info">;
  readonly random: RandomBytes;
}

/** Builds the reply for `listen`: the envelope of contract §5.1 with the headers of §5.3. */
export function answerConnectionFault({ logger, random }: ConnectionFaultDeps): AnswerFault {
  return (fault) => {
    const error = toRequestError(fault);
    const { status } = answerOf(error.facts.kind);
    const requestId = newRequestId(random);
    logger.info({ requestId, status, reason: fault.reason }, "malformed request");
    return {
      status,
      reasonPhrase: STATUS_CODES[status] ?? "",
      headers: {
        "x-request-id": requestId,
        "openai-processing-ms": "0",
        "content-type": "application/json; charset=utf-8",
      },
      body: JSON.stringify(errorReply(error), null, 2),
    };
  };
}

function toRequestError({ kind, reason }: ConnectionFault): RequestError {
  switch (kind) {
    case "malformed":
      return errors.malformedHttp(reason);
    case "head_too_large":
      return errors.headTooLarge(MAX_HEAD_BYTES);
    case "too_slow":
      return errors.requestTooSlow();
  }
}
