import { expect, test } from "@jest/globals";
import { describeFailure } from "./failure.ts";

const failure = (code: string): Error => Object.assign(new Error("connect 10.0.0.7:8000"), { code });

test.each(["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT", "CERT_HAS_EXPIRED"])(
  "%s before anything was sent counts as refused, and the message contains no address",
  (code) => {
    const reply = describeFailure(failure(code), false);

    expect(reply.kind).toBe("refused");
    expect(reply.message).toMatch(/upstream/);
    expect(reply.message).not.toContain("10.0.0.7");
  },
);

test.each(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "HPE_INVALID_CONSTANT", "EWHATEVER"])(
  "%s after something was sent counts as broken",
  (code) => {
    expect(describeFailure(failure(code), true).kind).toBe("broken");
  },
);

test("requests of a closed client count as broken, even if they were not sent, because the upstream did not refuse them", () => {
  expect(describeFailure(failure("UND_ERR_DESTROYED"), false)).toEqual({ kind: "broken", message: "aborted" });
});
