/** The line index is partitioned by the day on which a batch was created, so that retention drops whole tables. */
import type { Db } from "../pool.ts";
import { withTx } from "../tx.ts";

/** Makes sure that the index has a partition for that day (days since 1970-01-01, UTC). Safe when many ask at once. */
export async function ensureLinePartition(db: Db, day: number): Promise<void> {
  const table = `lines_${String(Math.trunc(day))}`;
  const exists = async (query: Pick<Db, "query">): Promise<boolean> => {
    // Not to_regclass: behind the lock it may answer from a cache of before, in which the table is missing.
    const { rows } = await query.query<{ exists: boolean }>(
      `/* lines.has_partition */
      select exists (select 1 from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'lines'::regclass and c.relname = $1) as exists`,
      [table],
    );
    return rows[0]?.exists === true;
  };
  if (await exists(db)) return;
  await withTx(db, async (tx) => {
    await tx.query("/* lines.partition_lock */ select pg_advisory_xact_lock(hashtextextended('lines partition', 0))");
    if (await exists(tx)) return;
    // Made apart and then attached: `create … partition of` would lock out the recorders, attaching does not.
    await tx.query(`create table ${table} (like lines including all)`);
    await tx.query(
      `alter table lines attach partition ${table} for values from (${String(day)}) to (${String(day + 1)})`,
    );
  });
}
