/** The failures that both backends must survive: wipes, outages, and killed workers. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { startTcpProxy, type TcpProxy, until } from "@nightshift/testing";
import { openQueues, QueueUnavailableError } from "../src/index.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { createGate, hasNone, useQueues } from "./fixture.ts";

const advance = { v: 1, batch_no: 7 } as const;

/** Registers these tests for a backend. */
export function outageSuite(openBackend: () => Promise<BackendUnderTest>): void {
  const { open, under, logged } = useQueues(openBackend);
  const proxies: TcpProxy[] = [];
  const startProxy = async (): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(under().backend.url);
    proxies.push(proxy);
    return proxy;
  };
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  describe("a wipe while workers run", () => {
    test("running workers take new jobs, even one with the id of a job that was running", async () => {
      const queues = await open();
      const gate = createGate();
      let after = 0;
      queues.work("slice.run", (payload, signal) => (payload.gen === 0 ? gate.handler(payload, signal) : count()), {
        concurrency: 4,
        upstream: "up",
      });
      const count = async (): Promise<void> => void (after += 1);
      queues.work("batch.advance", count, { concurrency: 1 });
      await queues.enqueueSlices("up", [{ sliceNo: 1, gen: 0, isBulk: false }]);
      await until(() => gate.running() === 1, { message: "a slice runs" });

      await under().wipe();
      await queues.enqueueSlices("up", [{ sliceNo: 1, gen: 0, isBulk: false }]);
      await until(() => gate.running() === 2, { message: "it is taken again" });
      gate.open();
      await queues.enqueueSlices("up", [{ sliceNo: 2, gen: 1, isBulk: true }]);
      await queues.enqueue("batch.advance", advance);
      await until(() => after === 2, { message: "the jobs that were added after the wipe run" });
      await until(() => hasNone(queues.boards()[2]!, "active", "waiting"), { message: "nothing is left" });

      expect(gate.calls()).toBe(2);
    });

    test("an advance that ran during the wipe does not block the next advance of its batch", async () => {
      const queues = await open();
      const gate = createGate();
      queues.work("batch.advance", gate.handler, { concurrency: 4 });
      await queues.enqueue("batch.advance", advance);
      await until(() => gate.running() === 1, { message: "the advance runs" });
      await queues.enqueue("batch.advance", advance);

      await under().wipe();
      await queues.enqueue("batch.advance", advance);
      await until(() => gate.running() === 2, { message: "the next one runs" });
      gate.open();
      await until(() => gate.running() === 0, { message: "both end" });
      const before = gate.calls();
      await queues.enqueue("batch.advance", advance);
      await until(() => gate.calls() === before + 1, { message: "the one after it runs too" });

      expect(logged("worker not closed: handlers still run, or the queue's server is unavailable")).toBe(0);
    });
  });

  test("another worker takes over the job of a killed worker, and the batch can advance afterwards", async () => {
    const proxy = await startProxy();
    const [dying, living] = [await open(under().at(proxy.url)), await open()];
    const never = createGate();
    dying.work("batch.advance", never.handler, { concurrency: 1 });
    await dying.enqueue("batch.advance", advance);
    await until(() => never.running() === 1, { message: "the job runs" });
    await proxy.cut();
    let calls = 0;

    living.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });
    await living.enqueue("batch.advance", advance);
    await until(() => calls === 2, { message: "it is taken over and run once more", timeoutMs: 15_000 });
    await living.enqueue("batch.advance", advance);
    await until(() => calls === 3, { message: "the next one runs" });

    expect(logged("job taken over from a worker that disappeared")).toBe(1);
  });

  describe("an unavailable server", () => {
    test("makes enqueueing reject, and workers resume when it is back", async () => {
      const proxy = await startProxy();
      const queues = await open(under().at(proxy.url));
      const gate = createGate();
      let calls = 0;
      queues.work("slice.run", gate.handler, { concurrency: 2, upstream: "up" });
      queues.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });
      await queues.enqueueSlices("up", [{ sliceNo: 1, gen: 0, isBulk: false }]);
      await until(() => gate.running() === 1, { message: "a slice runs" });

      await proxy.cut();
      await expect(queues.enqueue("batch.advance", advance)).rejects.toThrow(QueueUnavailableError);
      await expect(queues.enqueueSlices("up", [{ sliceNo: 2, gen: 0, isBulk: false }])).rejects.toThrow(
        QueueUnavailableError,
      );
      await expect(queues.isReady()).rejects.toThrow(QueueUnavailableError);
      gate.open();
      await proxy.restore();
      await until(() => queues.enqueue("batch.advance", advance).then(() => true), { message: "enqueueing works" });
      await until(() => calls === 1, { message: "the worker of advances is back" });
      await until(() => hasNone(queues.boards()[2]!, "active", "waiting"), {
        message: "the slice that ended in between is done",
      });

      expect(gate.calls()).toBe(1);
      expect(logged("job failed")).toBe(0);
    });

    test("lets a worker start during the outage, and the worker takes jobs when the server is back", async () => {
      const proxy = await startProxy();
      const queues = await open(under().at(proxy.url));
      await proxy.cut();
      let calls = 0;

      queues.work("batch.advance", async () => void (calls += 1), { concurrency: 1 });
      await until(() => logged("queue error") > 0, { message: "the worker has tried" });
      await proxy.restore();
      await until(() => queues.enqueue("batch.advance", advance).then(() => true), { message: "enqueueing works" });
      await until(() => calls === 1, { message: "it works" });

      expect(calls).toBe(1);
    });

    test("makes opening the queues reject, and opening succeeds when it is back", async () => {
      const proxy = await startProxy();
      await proxy.cut();

      await expect(open(under().at(proxy.url))).rejects.toThrow(QueueUnavailableError);
      await proxy.restore();

      await expect(open(under().at(proxy.url))).resolves.toBeDefined();
    });

    test("does not keep the queues from closing", async () => {
      const proxy = await startProxy();
      const logger = { info: () => undefined, warn: () => undefined };
      const queues = await openQueues({ backend: under().at(proxy.url), upstreams: ["up"], logger });
      const gate = createGate();
      queues.work("batch.advance", gate.handler, { concurrency: 1 });
      await queues.enqueue("batch.advance", advance);
      await until(() => gate.running() === 1, { message: "a job runs" });

      proxy.freeze();

      await expect(queues.enqueue("batch.advance", advance)).rejects.toThrow(QueueUnavailableError);
      await expect(queues.close(100)).resolves.toBeUndefined();
      expect(gate.aborted()).toBe(1);
    });
  });

  test("no job fails when the server ends every connection", async () => {
    const queues = await open();
    const numbers = Array.from({ length: 300 }, (_, sliceNo) => sliceNo);
    const seen = new Set<number>();
    queues.work("slice.run", async ({ slice_no }) => void seen.add(slice_no), { concurrency: 16, upstream: "up" });

    await queues.enqueueSlices(
      "up",
      numbers.map((sliceNo) => ({ sliceNo, gen: 0, isBulk: false })),
    );
    await under().disconnectAll();
    await until(() => seen.size === numbers.length, { message: "all slices run", timeoutMs: 15_000 });
    await until(() => hasNone(queues.boards()[2]!, "active", "waiting"), {
      message: "none is left",
      timeoutMs: 15_000,
    });

    expect(logged("job failed")).toBe(0);
  });
}
