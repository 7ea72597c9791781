/** The tenant object of the admin API. */
import type { TenantView } from "@nightshift/db";
import { Type, type Static } from "@sinclair/typebox";
import { toSeconds } from "../../present/seconds.ts";

export const TenantObject = Type.Object(
  {
    object: Type.Literal("tenant"),
    id: Type.String({ description: "The name of the tenant." }),
    tier: Type.Union([Type.String(), Type.Null()], {
      description: "The name of the tier. Null means the tier `default`.",
    }),
    weight: Type.Number({
      description: "Share of an upstream's capacity relative to other tenants. The default is 1.",
    }),
    created_at: Type.Integer({ description: "Unix seconds." }),
  },
  { $id: "Tenant", additionalProperties: false },
);
export type TenantObject = Static<typeof TenantObject>;

export function presentTenant({ id, tier, weight, createdAt }: TenantView): TenantObject {
  return { object: "tenant", id, tier, weight, created_at: toSeconds(createdAt) };
}
