/**
 * The outbox: a batch's final state, its event and the event's deliveries are written by one statement, so that there is
 * none without the others, whoever crashes when.
 */
import type { Queryable } from "../pool.ts";

/**
 * SQL that runs `move`, an update of `batches` with `returning id, tenant, <state>_at as at`, and writes what it means
 * for webhooks: one event, and one delivery for each endpoint of the tenant that wants its type. Its row count is that of
 * the move. `$2` must be the state and `$3` the caller's time.
 */
export function withOutbox(move: string): string {
  return `with moved as (${move}),
    event as (
      insert into webhook_events (tenant, type, batch_id, created_at) select tenant, 'batch.' || $2, id, at from moved
      on conflict (batch_id) do nothing returning number, tenant, type
    ),
    delivery as (
      insert into webhook_deliveries (event, endpoint, next_attempt_at)
      select event.number, e.id, $3::timestamptz from event
        join webhook_endpoints e on e.tenant = event.tenant and event.type = any(e.events)
      -- One that is being deleted is waited for and then left out, instead of breaking the reference.
      for key share of e
    )
    select 1 from moved`;
}

/** Deletes events of before `before`, with their deliveries, the oldest first and at most `limit`; returns how many. */
export async function forgetWebhookEvents(db: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* webhooks.forget_events */
    delete from webhook_events where number in (
      select number from webhook_events where created_at < $1 order by created_at limit $2)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
