/** What every worker could do and one at a time should: whoever asks first in each interval has the turn. */
import type { Queryable } from "../pool.ts";

/** True at most once in `everyMs`, over all workers, by the database's clock. */
export async function takeTurn(db: Queryable, name: string, everyMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* turns.take */
    insert into turns as t (name, taken_at) values ($1, clock_timestamp())
    on conflict (name) do update set taken_at = excluded.taken_at
      where t.taken_at < excluded.taken_at - $2 * interval '1 millisecond'`,
    [name, everyMs],
  );
  return rowCount === 1;
}
