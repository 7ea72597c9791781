/** Endpoints of webhooks: whose batches they want to hear of, where, and what is signed with. */
import type { WebhookEventType } from "@nightshift/domain";
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface WebhookEndpointView {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly events: WebhookEventType[];
  /** In clear: each delivery is signed with it. */
  readonly secret: string;
  readonly createdAt: Date;
}

const COLUMNS = `id, tenant, url, events, secret, created_at as "createdAt"`;

/** `no_tenant`: there is none of that name. `too_many`: it has `most` already. */
export type EndpointInsertion = "inserted" | "no_tenant" | "too_many";

/** Writes an endpoint. It is told of what happens from now on, and of nothing before. */
export async function insertWebhookEndpoint(
  db: Db,
  endpoint: WebhookEndpointView,
  most: number,
): Promise<EndpointInsertion> {
  return withTx(db, async (tx) => {
    // The tenant's row makes those who count at the same time wait for each other.
    const { rowCount: tenants } = await tx.query(
      "/* webhooks.lock_tenant */ select 1 from tenants where id = $1 for no key update",
      [endpoint.tenant],
    );
    if (tenants === 0) return "no_tenant";
    const { rowCount } = await tx.query(
      `/* webhooks.insert_endpoint */
      insert into webhook_endpoints (id, tenant, url, events, secret, created_at)
      select $1, $2, $3, $4, $5, $6 where (select count(*) from webhook_endpoints where tenant = $2) < $7`,
      [endpoint.id, endpoint.tenant, endpoint.url, endpoint.events, endpoint.secret, endpoint.createdAt, most],
    );
    return rowCount === 1 ? "inserted" : "too_many";
  });
}

/** Of whichever tenant; null where there is none. */
export async function findWebhookEndpoint(db: Queryable, id: string): Promise<WebhookEndpointView | null> {
  const { rows } = await db.query<WebhookEndpointView>(
    `/* webhooks.find_endpoint */ select ${COLUMNS} from webhook_endpoints where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

export interface EndpointPage {
  readonly rows: WebhookEndpointView[];
  readonly hasMore: boolean;
}

export interface EndpointPageRequest {
  /** Null: of all tenants. */
  readonly tenant: string | null;
  readonly limit: number;
  /** Exclusive; null begins at the newest. */
  readonly after: string | null;
}

/** A page of endpoints, newest first. Null where `after` names none. */
export async function listWebhookEndpoints(db: Queryable, page: EndpointPageRequest): Promise<EndpointPage | null> {
  const before = page.after === null ? null : await numberOf(db, page.after);
  if (before === undefined) return null;
  const { rows } = await db.query<WebhookEndpointView>(
    `/* webhooks.list_endpoints */
    select ${COLUMNS} from webhook_endpoints
    where ($1::text is null or tenant = $1) and ($2::bigint is null or number < $2) order by number desc limit $3`,
    [page.tenant, before, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}

async function numberOf(db: Queryable, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ number: number }>(
    "/* webhooks.endpoint_cursor */ select number from webhook_endpoints where id = $1",
    [id],
  );
  return rows[0]?.number;
}

/** Deletes an endpoint with all its deliveries, those that wait among them. False where there is none. */
export async function deleteWebhookEndpoint(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query("/* webhooks.delete_endpoint */ delete from webhook_endpoints where id = $1", [
    id,
  ]);
  return rowCount === 1;
}
