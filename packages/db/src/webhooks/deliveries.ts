/** Deliveries of webhooks: claimed by a worker, sent, and recorded. */
import type { WebhookDeliveryState, WebhookEventType } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";

/** A delivery that the worker has claimed, to send it now. */
export interface ClaimedDelivery {
  readonly number: number;
  /** The `webhook-id` header. */
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly eventId: string;
  readonly type: WebhookEventType;
  readonly batchId: string;
  /** The x-request-id of the request that created the batch. */
  readonly requestId: string | null;
  /** When the batch reached its final status. */
  readonly createdAt: Date;
  /** The number of this attempt, from 1. */
  readonly attempts: number;
}

/**
 * True if no worker is sending delivery `d`: it was never claimed, its attempt or lease is over, or its worker is gone.
 */
const IS_FREE = `(d.owner is null or d.leased_until <= clock_timestamp()
  or not exists (select 1 from workers w where w.id = d.owner))`;

/**
 * The lease is longer than an attempt can take: 10 s, and the time to record the result. Like all leases, it ends by
 * the database's clock.
 */
const LEASE_MS = 30_000;

/**
 * The maximum number of concurrent attempts to one endpoint. A slow endpoint must not use up the capacity for other
 * endpoints.
 */
const MAX_AT_ONCE = 16;

/**
 * Claims a delivery that is due at `now`. Returns null if it is not due, if another worker is sending it, or if its
 * endpoint has 16 attempts in progress. In the last case the reconciler finds it again.
 */
export async function claimDelivery(
  db: Queryable,
  number: number,
  worker: string,
  now: Date,
): Promise<ClaimedDelivery | null> {
  const { rows } = await db.query<ClaimedDelivery>(
    `/* webhooks.claim */
    update webhook_deliveries d set attempts = d.attempts + 1, owner = $2,
      leased_until = clock_timestamp() + $4 * interval '1 millisecond'
    from webhook_events v, webhook_endpoints e
    where d.number = $1 and d.state = 'pending' and d.next_attempt_at <= $3 and ${IS_FREE}
      and v.number = d.event and e.id = d.endpoint
      and (select count(*) from webhook_deliveries o where o.endpoint = d.endpoint and o.number <> d.number
        and o.owner is not null and o.leased_until > clock_timestamp()) < $5
    returning d.number, d.id, e.url, e.secret, v.id as "eventId", v.type, v.batch_id as "batchId",
      v.created_at as "createdAt", d.attempts, (select b.request_id from batches b where b.id = v.batch_id) as "requestId"`,
    [number, worker, now, LEASE_MS, MAX_AT_ONCE],
  );
  return rows[0] ?? null;
}

/** The result of an attempt. */
export interface AttemptResult {
  readonly isAcknowledged: boolean;
  readonly status: number | null;
  readonly error: string | null;
  /** The time of the next attempt. Null if this was the last attempt. Ignored if the delivery was acknowledged. */
  readonly nextAttemptAt: Date | null;
}

/**
 * Records the result of an attempt. If another worker has started a newer attempt, only an acknowledgement still
 * counts. Does nothing if the endpoint was deleted.
 */
export async function recordAttempt(
  db: Queryable,
  delivery: Pick<ClaimedDelivery, "number" | "attempts">,
  result: AttemptResult,
  now: Date,
): Promise<void> {
  const state: WebhookDeliveryState = stateAfter(result);
  await db.query(
    `/* webhooks.record_attempt */
    update webhook_deliveries set state = $3, last_status = $4, last_error = $5, next_attempt_at = $6,
      delivered_at = $7, owner = null, leased_until = null
    where number = $1 and state = 'pending' and (attempts = $2 or $3 = 'delivered')`,
    [
      delivery.number,
      delivery.attempts,
      state,
      result.status,
      result.error,
      state === "pending" ? result.nextAttemptAt : null,
      state === "delivered" ? now : null,
    ],
  );
}

function stateAfter(result: AttemptResult): WebhookDeliveryState {
  if (result.isAcknowledged) return "delivered";
  return result.nextAttemptAt === null ? "failed" : "pending";
}

/** Returns the numbers of the deliveries of a batch's event that have had no attempt. */
export async function untriedDeliveries(db: Queryable, batchId: string): Promise<number[]> {
  const { rows } = await db.query<{ number: number }>(
    `/* webhooks.untried */
    select d.number from webhook_events v join webhook_deliveries d on d.event = v.number
    where v.batch_id = $1 and d.state = 'pending' and d.attempts = 0 order by d.number`,
    [batchId],
  );
  return rows.map((row) => row.number);
}

/**
 * Returns the numbers of deliveries that are due at `now` and that no worker is sending, earliest first. Returns at
 * most `limit` numbers, and at most 16 for each endpoint.
 */
export async function dueDeliveries(db: Queryable, now: Date, limit: number): Promise<number[]> {
  const { rows } = await db.query<{ number: number }>(
    `/* webhooks.due */
    select number from (
      select d.number, d.next_attempt_at, row_number() over (partition by d.endpoint order by d.next_attempt_at) as place
      from webhook_deliveries d where d.state = 'pending' and d.next_attempt_at <= $1 and ${IS_FREE}
    ) due where place <= $2 order by next_attempt_at limit $3`,
    [now, MAX_AT_ONCE, limit],
  );
  return rows.map((row) => row.number);
}

/** A delivery as an admin sees it. */
export interface DeliveryView {
  readonly id: string;
  readonly endpoint: string;
  readonly eventId: string;
  readonly type: WebhookEventType;
  readonly batchId: string;
  readonly state: WebhookDeliveryState;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly nextAttemptAt: Date | null;
  readonly deliveredAt: Date | null;
}

/** Returns the newest `limit` deliveries of an endpoint. */
export async function listDeliveries(db: Queryable, endpoint: string, limit: number): Promise<DeliveryView[]> {
  const { rows } = await db.query<DeliveryView>(
    `/* webhooks.list_deliveries */
    select d.id, d.endpoint, v.id as "eventId", v.type, v.batch_id as "batchId", d.state, d.attempts,
      d.last_status as "lastStatus", d.last_error as "lastError", v.created_at as "createdAt",
      d.next_attempt_at as "nextAttemptAt", d.delivered_at as "deliveredAt"
    from webhook_deliveries d join webhook_events v on v.number = d.event
    where d.endpoint = $1 order by d.number desc limit $2`,
    [endpoint, limit],
  );
  return rows;
}
