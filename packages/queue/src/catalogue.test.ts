import { expect, test } from "@jest/globals";
import { allQueues, catalogue, slicesQueue } from "./catalogue.ts";

test("each job has a queue of its own, which the dashboard shows", () => {
  const queues = Object.values(catalogue).map(({ queue }) => (queue === "slices" ? slicesQueue("default") : queue));

  expect(new Set(queues).size).toBe(queues.length);
  expect([...queues].sort()).toEqual(allQueues(["default"]).sort());
});
