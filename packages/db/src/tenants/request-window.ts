/** The requests per minute of a tenant, counted by all API processes in one row for each tenant. */
import type { Queryable } from "../pool.ts";

export interface WindowRequest {
  tenant: string;
  /**
   * Minutes since 1970-01-01, by the caller's clock. If this clock is late, the request counts in the row's newer
   * minute.
   */
  minute: number;
  /** The maximum number of requests of the tenant per minute. */
  limit: number;
  /** The number of requests that the caller asks for. */
  wanted: number;
}

/**
 * Takes up to `wanted` requests from the tenant's minute and returns the number that it got, which is 0 once the minute
 * is used up.
 */
export async function takeRequests(db: Queryable, request: WindowRequest): Promise<number> {
  const { tenant, minute, limit, wanted } = request;
  const { rows } = await db.query<{ granted: number }>(
    `/* tenants.take_requests */
    insert into request_windows as w (tenant, minute, used, granted)
    values ($1, $2, least($3::integer, $4::integer), least($3, $4))
    on conflict (tenant) do update set
      minute = greatest(w.minute, excluded.minute),
      used = case when w.minute < excluded.minute then excluded.used
        else w.used + greatest(0, least($4, $3 - w.used)) end,
      granted = case when w.minute < excluded.minute then excluded.granted
        else greatest(0, least($4, $3 - w.used)) end
    returning granted`,
    [tenant, minute, limit, wanted],
  );
  return rows[0]?.granted ?? 0;
}
