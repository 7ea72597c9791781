import { expect, test } from "@jest/globals";
import { setImmediate } from "node:timers/promises";
import { createBoundedTasks } from "./bounded-tasks.ts";

test("runs no more tasks at a time than the limit", async () => {
  const tasks = createBoundedTasks(3, new AbortController());
  let running = 0;
  let most = 0;
  let ended = 0;
  for (let index = 0; index < 20; index += 1) {
    await tasks.start(async () => {
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
      ended += 1;
    });
  }

  await tasks.idle();

  expect(most).toBe(3);
  expect(ended).toBe(20);
});

test("the first failure stops all tasks that share its controller, and idle waits for those that run", async () => {
  const stop = new AbortController();
  const [tasks, other] = [createBoundedTasks(2, stop), createBoundedTasks(2, stop)];
  const error = new Error("first");
  let isEnded = false;
  await other.start(async () => {
    await setImmediate();
    isEnded = true;
    throw new Error("second");
  });
  await tasks.start(() => Promise.reject(error));

  await tasks.idle();

  expect(stop.signal.reason).toBe(error);
  await expect(other.start(() => Promise.resolve())).rejects.toBe(error);
  await other.idle();
  expect(isEnded).toBe(true);
  expect(stop.signal.reason).toBe(error);
});
