import { expect, test } from "@jest/globals";
import { createLogger, StartupError } from "@nightshift/service";
import { untilReachable, type ReachableOptions } from "./until-reachable.ts";

class Unavailable extends Error {}

function options(overrides: Partial<ReachableOptions> = {}): ReachableOptions {
  return {
    name: "The database",
    isUnavailable: (error) => error instanceof Unavailable,
    patienceMs: 10_000,
    logger: createLogger({ name: "test", level: "silent" }),
    ...overrides,
  };
}

test("waits for a backend that starts a little later, and logs each reason once", async () => {
  const logged: unknown[] = [];
  const logger = Object.assign(createLogger({ name: "test", level: "silent" }), {
    warn: (fields: { reason: string }) => logged.push(fields.reason),
  });
  const replies = [new Unavailable("refused"), new Unavailable("refused"), new Unavailable("starting up")];

  const opened = await untilReachable(() => {
    const reply = replies.shift();
    return reply === undefined ? Promise.resolve("open") : Promise.reject(reply);
  }, options({ logger }));

  expect(opened).toBe("open");
  expect(logged).toEqual(["refused", "starting up"]);
});

test("rejects with StartupError and the last reason when a backend stays unavailable", async () => {
  const waiting = untilReachable(() => Promise.reject(new Unavailable("refused")), options({ patienceMs: 0 }));

  await expect(waiting).rejects.toThrow(StartupError);
  await expect(waiting).rejects.toThrow("The database cannot be reached: refused");
});

test("passes on any other error at once", async () => {
  let attempts = 0;
  const error = new Error("the password is wrong");

  const waiting = untilReachable(() => {
    attempts += 1;
    return Promise.reject(error);
  }, options());

  await expect(waiting).rejects.toBe(error);
  expect(attempts).toBe(1);
});

test("stops waiting when the process is stopped", async () => {
  const abort = new AbortController();

  const waiting = untilReachable(
    () => {
      abort.abort(new Error("stopping"));
      return Promise.reject(new Unavailable("refused"));
    },
    options({ signal: abort.signal }),
  );

  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});
