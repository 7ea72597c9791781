/** The behavior that both backends share while the server is available. */
import { describe, expect, test } from "@jest/globals";
import { until } from "@nightshift/testing";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { createGate, hasNone, useQueues } from "./fixture.ts";

const advance = { v: 1, batch_no: 7 } as const;

/** Registers these tests for a backend. */
export function queueSuite(openBackend: () => Promise<BackendUnderTest>): void {
  const { open, under, logged } = useQueues(openBackend);

  describe("slices", () => {
    test("a slice runs once, and its id is free again when it is done", async () => {
      const queues = await open();
      const seen: unknown[] = [];
      queues.work("slice.run", async (payload) => void seen.push(payload), { concurrency: 4, upstream: "up" });

      await queues.enqueueSlices("up", [{ sliceNo: 12, gen: 3, isBulk: false }]);
      await until(() => seen.length === 1, { message: "the slice runs" });
      await until(async () => (await queues.boards()[2]!.getJob("s12-3")) === undefined, {
        message: "its job is gone",
      });
      await queues.enqueueSlices("up", [{ sliceNo: 12, gen: 3, isBulk: false }]);
      await until(() => seen.length === 2, { message: "it runs again" });

      expect(seen).toEqual([
        { v: 1, slice_no: 12, gen: 3 },
        { v: 1, slice_no: 12, gen: 3 },
      ]);
    });

    test("a waiting slice is not added twice, and small batches go before bulk", async () => {
      const queues = await open();
      const bulk = [1, 2, 3].map((sliceNo) => ({ sliceNo, gen: 0, isBulk: true }));
      const small = [4, 5].map((sliceNo) => ({ sliceNo, gen: 0, isBulk: false }));
      const order: number[] = [];

      await queues.enqueueSlices("up", bulk);
      await queues.enqueueSlices("up", [...bulk, ...small]);
      queues.work("slice.run", async ({ slice_no }) => void order.push(slice_no), { concurrency: 1, upstream: "up" });
      await until(() => order.length >= 5, { message: "all slices run" });

      expect(order).toEqual([4, 5, 1, 2, 3]);
    });

    test("a slice whose handler rejects runs three times, and then can be added again", async () => {
      const queues = await open();
      let calls = 0;
      const worker = queues.work(
        "slice.run",
        async () => {
          calls += 1;
          throw new Error("no");
        },
        { concurrency: 1, upstream: "up" },
      );

      await queues.enqueueSlices("up", [{ sliceNo: 1, gen: 0, isBulk: false }]);
      await until(async () => (await queues.boards()[2]!.getJob("s1-0")) === undefined, { message: "its job is gone" });
      await until(() => logged("job failed") === 3, { message: "each failure is logged" });
      await worker.stopTaking();
      await queues.enqueueSlices("up", [{ sliceNo: 1, gen: 0, isBulk: false }]);
      await until(() => queues.boards()[2]!.getWaitingCount(), { message: "it waits" });

      expect(calls).toBe(3);
    });
  });

  describe("advances", () => {
    test("that arrive while one of the same batch runs are run as one job after it", async () => {
      const queues = await open();
      const gate = createGate();
      queues.work("batch.advance", gate.handler, { concurrency: 8 });

      await queues.enqueue("batch.advance", advance);
      await until(() => gate.running() === 1, { message: "the first runs" });
      await Promise.all([1, 2, 3].map(() => queues.enqueue("batch.advance", advance)));
      await queues.enqueue("batch.advance", { v: 1, batch_no: 8 });
      await until(() => gate.running() === 2, { message: "the job of another batch runs too" });
      gate.open();
      await until(() => gate.calls() === 3, { message: "it runs once more" });
      await until(() => hasNone(queues.boards()[0]!, "waiting", "active", "delayed"), {
        message: "nothing is left",
      });

      expect(gate.calls()).toBe(3);
    });

    test("one that arrives while another one runs is run even if the other one uses up its attempts", async () => {
      const queues = await open();
      const gate = createGate();
      let calls = 0;
      queues.work(
        "batch.advance",
        async (payload, signal) => {
          calls += 1;
          await gate.handler(payload, signal);
          if (calls <= 3) throw new Error("no");
        },
        { concurrency: 1 },
      );

      await queues.enqueue("batch.advance", advance);
      await until(() => gate.running() === 1, { message: "the first runs" });
      await queues.enqueue("batch.advance", advance);
      gate.open();
      await until(() => calls === 4, { message: "three attempts and the later job have run" });
      await until(() => hasNone(queues.boards()[0]!, "waiting", "active", "failed"), {
        message: "nothing is left",
      });

      expect(calls).toBe(4);
    });

    test("are not added while one of the same batch waits", async () => {
      const queues = await open();

      for (let i = 0; i < 3; i++) await queues.enqueue("batch.advance", advance);

      expect(await queues.boards()[0]!.getWaitingCount()).toBe(1);
    });

    test("a job that vanished does not block the next job of its batch", async () => {
      const queues = await open();
      await queues.enqueue("batch.advance", advance);
      await under().loseJobs("batches");
      let calls = 0;

      queues.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });
      await queues.enqueue("batch.advance", advance);
      await until(() => calls === 1, { message: "it runs" });

      expect(calls).toBe(1);
    });
  });

  describe("payloads", () => {
    test("an invalid payload is refused before it enters the queue", async () => {
      const queues = await open();

      await expect(queues.enqueue("batch.advance", { v: 1, batch_no: -1 })).rejects.toThrow(TypeError);
      await expect(queues.enqueue("batch.advance", { v: 1, batch_no: -1 })).rejects.toThrow(
        "batch.advance/batch_no must be >= 0",
      );
    });

    test("a payload of a newer version is put back for a minute and does not fail", async () => {
      const queues = await open();
      const board = queues.boards()[0]!;
      let calls = 0;
      queues.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });

      const { id } = await board.add("batch.advance", { v: 2, lot: "x" });
      await until(() => board.getDelayedCount().then((n) => n === 1), { message: "it waits" });
      const job = await board.getJob(id!);

      expect(job!.delay).toBeGreaterThan(30_000);
      expect(job!.attemptsMade).toBe(0);
      expect(calls).toBe(0);
    });

    test("data that is not a payload is dropped with a log message", async () => {
      const queues = await open();
      const board = queues.boards()[0]!;
      let calls = 0;
      queues.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });

      const { id } = await board.add("batch.advance", { v: 1, batch_no: "seven" }, { attempts: 3 });
      await until(() => board.getJob(id!).then((job) => job === undefined), { message: "it is dropped" });
      await until(() => logged("job failed") > 0, { message: "the log says so" });

      expect(calls).toBe(0);
      expect(logged("job failed")).toBe(1);
    });
  });

  test("a failed line stays in the failed set with its reason until its retry removes it", async () => {
    const queues = await open();
    const board = queues.boards().find((queue) => queue.name === "failed-lines")!;
    const line = { v: 1, batch_no: 7, batch_id: "batch_x", line: 2, request_gen: 1, reason: "upstream: 500" } as const;
    queues.work("line.failed", async () => undefined, { concurrency: 1 });

    await queues.enqueue("line.failed", line);
    await until(() => board.getFailedCount().then((n) => n === 1), { message: "it is in the failed set" });
    await queues.enqueue("line.failed", line);
    const [job] = await board.getFailed();

    expect(job!.id).toBe("f7-2-1");
    expect(job!.failedReason).toBe("upstream: 500");
    expect(await queues.findFailedLine("f7-2-1")).toEqual(line);
    expect(await board.getJobCountByTypes("waiting", "active", "failed")).toBe(1);
    expect(logged("job failed")).toBe(0);

    await queues.removeFailedLine("f7-2-1");

    expect(await queues.findFailedLine("f7-2-1")).toBeNull();
    await expect(queues.removeFailedLine("f7-2-1")).resolves.toBeUndefined();
  });

  describe("workers", () => {
    const slices = (count: number) =>
      Array.from({ length: count }, (_, sliceNo) => ({ sliceNo, gen: 0, isBulk: false }));

    test("raise their concurrency immediately, and lower it as jobs end", async () => {
      const queues = await open();
      const first = createGate();
      const second = createGate();
      const worker = queues.work(
        "slice.run",
        (payload, signal) => (payload.slice_no < 6 ? first : second).handler(payload, signal),
        { concurrency: 2, upstream: "up" },
      );

      await queues.enqueueSlices("up", slices(30));
      await until(() => first.running() === 2, { message: "two run" });
      worker.setConcurrency(6);
      await until(() => first.running() === 6, { message: "six run, though none has ended" });
      worker.setConcurrency(1);
      first.open();
      await until(() => first.running() === 0 && second.running() === 1, { message: "one runs" });
      expect(second.peak()).toBe(1);
      second.open();
      await until(() => second.calls() === 24, { message: "all other slices run" });

      expect(second.peak()).toBe(1);
    });

    test("call no handler after stopTaking, and another worker gets the job", async () => {
      const [leaving, staying] = [await open(), await open()];
      const gate = createGate();
      const worker = leaving.work("slice.run", gate.handler, { concurrency: 4, upstream: "up" });
      await leaving.enqueueSlices("up", slices(1));
      await until(() => gate.running() === 1, { message: "one runs" });

      await worker.stopTaking();
      await staying.enqueueSlices("up", [{ sliceNo: 5, gen: 0, isBulk: false }]);
      let taken = 0;
      staying.work("slice.run", async () => void (taken += 1), { concurrency: 1, upstream: "up" });
      await until(() => taken === 1, { message: "the other gets the job" });
      gate.open();
      await worker.close(5000);

      expect(gate.calls()).toBe(1);
      expect(gate.aborted()).toBe(0);
    });

    test("wait for handlers when closing, then abort them, and another worker gets the job", async () => {
      const [leaving, staying] = [await open(), await open()];
      const gate = createGate();
      const worker = leaving.work("slice.run", gate.handler, { concurrency: 1, upstream: "up" });
      await leaving.enqueueSlices("up", slices(1));
      await until(() => gate.running() === 1, { message: "it runs" });

      await worker.close(50);
      let taken = 0;
      staying.work("slice.run", async () => void (taken += 1), { concurrency: 1, upstream: "up" });
      await until(() => taken === 1, { message: "the other gets the job" });

      expect(gate.aborted()).toBe(1);
    });

    test("are limited to one for each queue and process, and need a known upstream", async () => {
      const queues = await open();
      queues.work("batch.advance", async () => undefined, { concurrency: 1 });

      expect(() => queues.work("batch.advance", async () => undefined, { concurrency: 1 })).toThrow(
        "already has a worker",
      );
      expect(() => queues.work("slice.run", async () => undefined, { concurrency: 1 })).toThrow(
        "needs the name of its upstream",
      );
      await expect(queues.enqueueSlices("down", slices(1))).rejects.toThrow("unknown queue slices-down");
    });
  });

  test("maintenance repeats at its interval however often it is scheduled, even after a wipe", async () => {
    const queues = await open();
    let runs = 0;
    queues.work("maintenance.run", async () => void (runs += 1), { concurrency: 1 });

    await queues.schedule("maintenance.run", 200);
    await until(
      async () => {
        await queues.schedule("maintenance.run", 200);
        return runs >= 5;
      },
      { message: "it runs five times", everyMs: 20 },
    );
    expect(await queues.boards().at(-1)!.getJobSchedulersCount()).toBe(1);
    await under().wipe();
    await queues.schedule("maintenance.run", 200);
    const before = runs;
    await until(() => runs >= before + 3, { message: "it runs three times more" });

    expect(await queues.boards().at(-1)!.getJobSchedulersCount()).toBe(1);
  });
}
