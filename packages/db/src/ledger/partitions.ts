/**
 * The partitions of the line index, by the day on which a batch was created. Old days can be dropped as whole tables,
 * but Nightshift does not drop them yet, so the line index keeps growing.
 */
import type { Db } from "../pool.ts";
import { withTx } from "../tx.ts";

/** Creates the partition for a day (days since 1970-01-01, UTC) unless it exists. Concurrent calls are safe. */
export async function ensureLinePartition(db: Db, day: number): Promise<void> {
  const table = `lines_${String(Math.trunc(day))}`;
  const exists = async (query: Pick<Db, "query">): Promise<boolean> => {
    // Not to_regclass: it may use a catalog snapshot from before the lock, which lacks the table.
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
    // Create the table, then attach it: `create … partition of` would block the recorders. Attaching does not block
    // them.
    await tx.query(`create table ${table} (like lines including all)`);
    await tx.query(
      `alter table lines attach partition ${table} for values from (${String(day)}) to (${String(day + 1)})`,
    );
  });
}
