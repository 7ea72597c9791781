/** Runs the suites on Postgres, and tests the preparation of BullMQ's schema. */
import { describe, expect, jest, test } from "@jest/globals";
import { createDatabase } from "@nightshift/testing";
import pg from "pg";
import { openQueues, prepareQueueBackend } from "../src/index.ts";
import { openPostgresUnderTest } from "./backend-under-test.ts";
import { outageSuite } from "./outage-suite.ts";
import { queueSuite } from "./queue-suite.ts";

// Timeouts of unavailable servers and locks of killed workers last for seconds.
jest.setTimeout(30_000);

describe("on Postgres", () => {
  queueSuite(openPostgresUnderTest);
  outageSuite(openPostgresUnderTest);
});

describe("BullMQ's schema on Postgres", () => {
  test("is prepared once when several processes race", async () => {
    const url = await createDatabase({ migrated: false });

    await Promise.all([1, 2, 3].map(() => prepareQueueBackend({ kind: "postgres", url })));

    const queues = await openQueues({ backend: { kind: "postgres", url }, upstreams: [], logger: silent });
    await expect(queues.isReady()).resolves.toBeUndefined();
    await queues.close(0);
  });

  test("is created again by the next process after every table was truncated", async () => {
    const url = await createDatabase({ migrated: false });
    const backend = { kind: "postgres", url } as const;
    await prepareQueueBackend(backend);
    await onDatabase(url, "truncate bullmq.migration");

    await prepareQueueBackend(backend);

    const queues = await openQueues({ backend, upstreams: [], logger: silent });
    await queues.enqueue("batch.advance", { v: 1, batch_no: 1 });
    expect(await queues.boards()[0]!.getWaitingCount()).toBe(1);
    await queues.close(0);
  });

  test("keeps the settings of the URL, and adds Nightshift's", async () => {
    const url = new URL(await createDatabase({ migrated: false }));
    url.searchParams.set("options", "-c work_mem=5MB");
    const backend = { kind: "postgres", url: url.href } as const;
    await prepareQueueBackend(backend);

    const queues = await openQueues({ backend, upstreams: [], logger: silent });

    await expect(queues.isReady()).resolves.toBeUndefined();
    await queues.close(0);
  });
});

const silent = { info: () => undefined, warn: () => undefined };

async function onDatabase(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
