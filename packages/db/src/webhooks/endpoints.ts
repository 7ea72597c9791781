/** Endpoints of webhooks: the tenant, the URL, the event types and the signing secret. */
import type { WebhookEventType } from "@nightshift/domain";
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface WebhookEndpointView {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly events: WebhookEventType[];
  /** The secret is stored in plain text, because each delivery is signed with it. */
  readonly secret: string;
  readonly createdAt: Date;
}

const COLUMNS = `id, tenant, url, events, secret, created_at as "createdAt"`;

/** `no_tenant` means that the tenant does not exist. `too_many` means that it already has `maxEndpoints` endpoints. */
export type EndpointInsertion = "inserted" | "no_tenant" | "too_many";

/** Inserts an endpoint, which receives only later events. */
export async function insertWebhookEndpoint(
  db: Db,
  endpoint: WebhookEndpointView,
  maxEndpoints: number,
): Promise<EndpointInsertion> {
  return withTx(db, async (tx) => {
    // The lock on the tenant's row makes concurrent calls count one after the other.
    const { rowCount: tenants } = await tx.query(
      "/* webhooks.lock_tenant */ select 1 from tenants where id = $1 for no key update",
      [endpoint.tenant],
    );
    if (tenants === 0) return "no_tenant";
    const { rowCount } = await tx.query(
      `/* webhooks.insert_endpoint */
      insert into webhook_endpoints (id, tenant, url, events, secret, created_at)
      select $1, $2, $3, $4, $5, $6 where (select count(*) from webhook_endpoints where tenant = $2) < $7`,
      [endpoint.id, endpoint.tenant, endpoint.url, endpoint.events, endpoint.secret, endpoint.createdAt, maxEndpoints],
    );
    return rowCount === 1 ? "inserted" : "too_many";
  });
}

/** Finds an endpoint of any tenant. Returns null if no endpoint has this id. */
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
  /** Null for all tenants. */
  readonly tenant: string | null;
  readonly limit: number;
  /** The id is exclusive. Null for the first page. */
  readonly after: string | null;
}

/** Returns a page of endpoints, newest first. Returns null if `after` does not name an endpoint. */
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

/** Deletes an endpoint with all its deliveries, including pending ones. Returns false if no endpoint has this id. */
export async function deleteWebhookEndpoint(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query("/* webhooks.delete_endpoint */ delete from webhook_endpoints where id = $1", [
    id,
  ]);
  return rowCount === 1;
}
