/** Creates tenants for rows that must not see the objects of other rows, or that need tighter limits. */
import type { Stack } from "@nightshift/testing";

/** Creates a key for the tenant, puts the tenant into a tier, and returns the key. */
export async function createTenantKey(stack: Stack, tenant: string, tier?: string): Promise<string> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" };
    const reply = await fetch(`${stack.url}/admin/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${path} answered ${String(reply.status)}: ${await reply.text()}`);
    return reply.json();
  };
  const { key } = (await post("/keys", { tenant })) as { readonly key: string };
  if (tier !== undefined) await post(`/tenants/${tenant}`, { tier });
  return key;
}
