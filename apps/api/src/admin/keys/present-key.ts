/** An API key on the wire of the admin API. Ours alone; OpenAI shows keys only in its dashboard. */
import type { KeyRow } from "@nightshift/db";
import { toSeconds, toSecondsOrNull } from "../../present/seconds.ts";

/** Times are Unix seconds. */
export interface ApiKeyObject {
  object: "api_key";
  id: string;
  tenant: string;
  name: string | null;
  /** The key's first characters. */
  hint: string;
  created_at: number;
  revoked_at: number | null;
}

export function presentKey({ id, tenant, name, hint, createdAt, revokedAt }: KeyRow): ApiKeyObject {
  return {
    object: "api_key",
    id,
    tenant,
    name,
    hint,
    created_at: toSeconds(createdAt),
    revoked_at: toSecondsOrNull(revokedAt),
  };
}
