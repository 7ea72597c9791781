/** A worker that runs as several processes: a batch survives the loss of any of them. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, until } from "@nightshift/testing";
import { createBatchClient } from "./batch-client.ts";
import { interruptedBatch } from "./interrupted-batch.ts";
import { useStack } from "./use-stack.ts";

const { start: startBatch, expectEachLineOnce } = interruptedBatch(1_500);

/** Returns the pids of one worker: its primary process, and the processes that do the work. */
async function findWorker(stack: Stack): Promise<{ primary: number; copies: number[] }> {
  const workers = (await stack.processes()).filter(({ role }) => role === "worker");
  const isCopy = ({ environment }: (typeof workers)[number]): boolean => environment.get("WORKER_PROCESSES") === "1";
  return {
    primary: workers.find((one) => !isCopy(one))?.pid ?? 0,
    copies: workers.filter(isCopy).map(({ pid }) => pid),
  };
}

/** Resolves when two processes do the work of one worker and neither of them is in `former`. */
async function untilTwoWork(stack: Stack, former: readonly number[]): Promise<void> {
  await until(
    async () => {
      const { primary, copies } = await findWorker(stack);
      const inLedger = await stack.sql<{ pid: number }>("select pid from workers order by pid");
      const isWhole = copies.length === 2 && primary > 0 && !copies.some((pid) => former.includes(pid));
      return isWhole && inLedger.map(({ pid }) => pid).join() === copies.sort((a, b) => a - b).join();
    },
    { message: "two processes are workers in the ledger", timeoutMs: 60_000, everyMs: 200 },
  );
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    workers: 1,
    apis: 1,
    simulator: { SIMULATOR_LATENCY_MS: "100" },
    env: { WORKER_PROCESSES: "2", UPSTREAM_CONCURRENCY: "64" },
  });

  test("a batch survives kill -9 of one process, and another process replaces it", async () => {
    const client = createBatchClient(stack());
    await untilTwoWork(stack(), []);
    const id = await startBatch(stack(), client);
    const [victim = 0] = (await findWorker(stack())).copies;

    process.kill(victim, "SIGKILL");
    await untilTwoWork(stack(), [victim]);
    const batch = await client.finished(id, 120_000);

    await expectEachLineOnce(client, batch);
  });

  test("after kill -9 of the primary, its processes finish the lines in flight and end", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await startBatch(stack(), client);
    const { primary, copies } = await findWorker(stack());

    process.kill(primary, "SIGKILL");
    await until(async () => !(await findWorker(stack())).copies.some((pid) => copies.includes(pid)), {
      message: "the processes that lost their primary end",
      timeoutMs: 20_000,
    });
    await stack().restart();
    await untilTwoWork(stack(), copies);
    const batch = await client.finished(id, 120_000);

    await expectEachLineOnce(client, batch);
    expect((await simulator().seen()).filter(({ count }) => count > 1)).toEqual([]);
  });

  test("after kill -9 of all started processes, the next start finds no process of the last run", async () => {
    const client = createBatchClient(stack());
    const id = await startBatch(stack(), client);
    const { primary, copies } = await findWorker(stack());

    await stack().kill9(profile === "one-machine" ? "supervisor" : "everything");
    await stack().restart();

    expect((await stack().processes()).filter(({ pid }) => [primary, ...copies].includes(pid))).toEqual([]);
    await expectEachLineOnce(client, await client.finished(id, 120_000));
  });
});
