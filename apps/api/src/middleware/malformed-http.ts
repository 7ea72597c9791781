/** Bytes that are no request: they get the envelope and an id too (contract §5.1, §5.3), although no route sees them. */
import { errors, newRequestId, type RandomBytes, type RequestError } from "@nightshift/domain";
import type { Logger, MalformedHttp, MalformedHttpReply } from "@nightshift/service";
import { answerOf, errorReply } from "./error-handler.ts";

const FAULTS: Readonly<Record<MalformedHttp, () => RequestError>> = {
  malformed: errors.malformedHttp,
  head_too_large: errors.headTooLarge,
  too_slow: errors.requestTooSlow,
};

export interface MalformedHttpDeps {
  readonly logger: Logger;
  readonly random: RandomBytes;
}

/** For `listen`. */
export function malformedHttpReply({ logger, random }: MalformedHttpDeps): (kind: MalformedHttp) => MalformedHttpReply {
  return (kind) => {
    const fault = FAULTS[kind]();
    const { status } = answerOf(fault.facts.kind);
    const requestId = newRequestId(random);
    logger.info({ requestId, status, fault: kind }, "not a request");
    return { status, headers: { "x-request-id": requestId }, body: JSON.stringify(errorReply(fault), null, 2) };
  };
}
