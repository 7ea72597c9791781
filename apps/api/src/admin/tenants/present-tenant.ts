/** A tenant on the wire of the admin API. Ours alone. */
import type { TenantView } from "@nightshift/db";
import { toSeconds } from "../../present/seconds.ts";

export interface TenantObject {
  object: "tenant";
  /** Its name. */
  id: string;
  /** Null: the tier `default`. */
  tier: string | null;
  /** Share of an upstream's window against other tenants; 1 unless set. */
  weight: number;
  /** Unix seconds. */
  created_at: number;
}

export function presentTenant({ id, tier, weight, createdAt }: TenantView): TenantObject {
  return { object: "tenant", id, tier, weight, created_at: toSeconds(createdAt) };
}
