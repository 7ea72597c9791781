import { expect, test } from "@jest/globals";
import { createLogger, StartupError } from "@nightshift/service";
import { untilReachable, type ReachableOptions } from "./until-reachable.ts";

class Away extends Error {}

function options(overrides: Partial<ReachableOptions> = {}): ReachableOptions {
  return {
    name: "The store",
    isAway: (error) => error instanceof Away,
    patienceMs: 10_000,
    logger: createLogger({ name: "test", level: "silent" }),
    ...overrides,
  };
}

test("a store that comes up a little later is waited for, and each reason is logged once", async () => {
  const logged: unknown[] = [];
  const logger = Object.assign(createLogger({ name: "test", level: "silent" }), {
    warn: (fields: { reason: string }) => logged.push(fields.reason),
  });
  const replies = [new Away("refused"), new Away("refused"), new Away("starting up")];

  const opened = await untilReachable(() => {
    const reply = replies.shift();
    return reply === undefined ? Promise.resolve("open") : Promise.reject(reply);
  }, options({ logger }));

  expect(opened).toBe("open");
  expect(logged).toEqual(["refused", "starting up"]);
});

test("a store that stays away is an error for the operator, with the last reason", async () => {
  const waiting = untilReachable(() => Promise.reject(new Away("refused")), options({ patienceMs: 0 }));

  await expect(waiting).rejects.toThrow(StartupError);
  await expect(waiting).rejects.toThrow("The store cannot be reached: refused");
});

test("an error that waiting does not retry is passed on at once", async () => {
  let attempts = 0;
  const error = new Error("the password is wrong");

  const waiting = untilReachable(() => {
    attempts += 1;
    return Promise.reject(error);
  }, options());

  await expect(waiting).rejects.toBe(error);
  expect(attempts).toBe(1);
});

test("a process that is stopped meanwhile does not wait on", async () => {
  const abort = new AbortController();

  const waiting = untilReachable(
    () => {
      abort.abort(new Error("stopping"));
      return Promise.reject(new Away("refused"));
    },
    options({ signal: abort.signal }),
  );

  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});
