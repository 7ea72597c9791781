/** Tests transactions: rollback, deadlocks, broken connections. */
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { isDbUnavailable, openDb, withTx } from "../src/index.ts";
import { newTenant } from "@nightshift/testing/batches";

const database = useDatabase();

async function weightOf(tenant: string): Promise<number | undefined> {
  const { rows } = await database.db().query<{ weight: number }>("select weight from tenants where id = $1", [tenant]);
  return rows[0]?.weight;
}

test("rolls back and rethrows if the work throws", async () => {
  const tenant = await newTenant(database.db());

  const failing = withTx(database.db(), async (tx) => {
    await tx.query("update tenants set weight = 7 where id = $1", [tenant]);
    throw new Error("on second thought");
  });

  await expect(failing).rejects.toThrow("on second thought");
  expect(await weightOf(tenant)).toBe(1);
});

test("commits both deadlocked transactions, one of them on its second attempt", async () => {
  const tenants = [await newTenant(database.db()), await newTenant(database.db())];
  let tries = 0;
  const bothHoldOne = barrier(2);
  const raise = (order: readonly string[]): Promise<void> =>
    withTx(database.db(), async (tx) => {
      tries += 1;
      for (const [i, tenant] of order.entries()) {
        await tx.query("update tenants set weight = weight + 1 where id = $1", [tenant]);
        if (i === 0) await bothHoldOne();
      }
    });

  await Promise.all([raise(tenants), raise(tenants.toReversed())]);

  expect(await Promise.all(tenants.map(weightOf))).toEqual([3, 3]);
  // On a busy machine the second attempt may deadlock again.
  expect(tries).toBeGreaterThanOrEqual(3);
});

test("reports that the server is unavailable if it ended the session, and keeps the pool usable", async () => {
  const db = openDb({ url: database.url(), max: 1 });
  try {
    const cut = withTx(db, (tx) => tx.query("select pg_terminate_backend(pg_backend_pid())"));
    await expect(cut.catch((error: unknown) => isDbUnavailable(error))).resolves.toBe(true);

    const wrong = db.query("select nothing from nowhere");
    await expect(wrong.catch((error: unknown) => isDbUnavailable(error))).resolves.toBe(false);

    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  } finally {
    await db.end();
  }
});

test("fails only the next statement of a connection that breaks while it is idle", async () => {
  const db = openDb({ url: database.url(), max: 2 });
  try {
    const held = await db.connect();
    const { rows } = await held.query<{ pid: number }>("select pg_backend_pid() as pid");
    const broken = new Promise((resolve) => held.once("end", resolve));

    await db.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await broken;

    await expect(held.query("select 1")).rejects.toThrow();
    held.release(true);
  } finally {
    await db.end();
  }
});

test("reports that a server is unavailable if it is not running", async () => {
  const db = openDb({ url: "postgres://nobody@127.0.0.1:1/none" });
  try {
    await expect(db.query("select 1").catch((error: unknown) => isDbUnavailable(error))).resolves.toBe(true);
  } finally {
    await db.end();
  }
});

/** Holds the first `count` callers until all of them have arrived. Later callers pass immediately. */
function barrier(count: number): () => Promise<void> {
  let missing = count;
  let open: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing <= 0) open();
    return opened;
  };
}
