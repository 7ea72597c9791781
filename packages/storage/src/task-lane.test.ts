/** Tasks beside each other: never more than the limit, and none after a failure. */
import { expect, test } from "@jest/globals";
import { setImmediate } from "node:timers/promises";
import { createTaskLane } from "./task-lane.ts";

test("no more tasks run at a time than the limit", async () => {
  const lane = createTaskLane(3, new AbortController());
  let running = 0;
  let most = 0;
  let ended = 0;
  for (let index = 0; index < 20; index += 1) {
    await lane.start(async () => {
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
      ended += 1;
    });
  }

  await lane.idle();

  expect(most).toBe(3);
  expect(ended).toBe(20);
});

test("the first failure stops every lane of its controller; what runs is waited for", async () => {
  const stop = new AbortController();
  const [lane, other] = [createTaskLane(2, stop), createTaskLane(2, stop)];
  const error = new Error("first");
  let isEnded = false;
  await other.start(async () => {
    await setImmediate();
    isEnded = true;
    throw new Error("second");
  });
  await lane.start(() => Promise.reject(error));

  await lane.idle();

  expect(stop.signal.reason).toBe(error);
  await expect(other.start(() => Promise.resolve())).rejects.toBe(error);
  await other.idle();
  expect(isEnded).toBe(true);
  expect(stop.signal.reason).toBe(error);
});
