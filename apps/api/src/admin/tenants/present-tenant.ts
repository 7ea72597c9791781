/** A tenant on the wire of the admin API. Ours alone. */
import type { TenantView } from "@nightshift/db";
import { Type, type Static } from "@sinclair/typebox";
import { toSeconds } from "../../present/seconds.ts";

export const TenantObject = Type.Object(
  {
    object: Type.Literal("tenant"),
    id: Type.String({ description: "Its name." }),
    tier: Type.Union([Type.String(), Type.Null()], { description: "Null: the tier `default`." }),
    weight: Type.Number({ description: "Share of an upstream's window against other tenants; 1 unless set." }),
    created_at: Type.Integer({ description: "Unix seconds." }),
  },
  { $id: "Tenant", additionalProperties: false },
);
export type TenantObject = Static<typeof TenantObject>;

export function presentTenant({ id, tier, weight, createdAt }: TenantView): TenantObject {
  return { object: "tenant", id, tier, weight, created_at: toSeconds(createdAt) };
}
