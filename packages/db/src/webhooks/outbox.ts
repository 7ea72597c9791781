/**
 * The outbox: one statement writes the final status of a batch, its event and the event's deliveries, so that a crash
 * cannot separate them.
 */
import type { Queryable } from "../pool.ts";

/**
 * Extends `move`, an update of `batches` with `returning id, tenant, <status>_at as at`. The returned statement also
 * inserts one event, and one delivery for each of the tenant's endpoints that is registered for the event type. Its row
 * count is the row count of `move`. `$2` must be the status and `$3` the caller's time.
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
      -- Waits for a concurrent delete of an endpoint and then skips the endpoint: its row could not be referenced.
      for key share of e
    )
    select 1 from moved`;
}

/**
 * Deletes up to `limit` events that are older than `before`, with their deliveries, oldest first. Returns the number of
 * deleted events.
 */
export async function forgetWebhookEvents(db: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* webhooks.forget_events */
    delete from webhook_events where number in (
      select number from webhook_events where created_at < $1 order by created_at limit $2)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
