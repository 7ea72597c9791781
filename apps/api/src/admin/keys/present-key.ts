/** The API key object of the admin API. OpenAI has no such object in its Batch API. */
import type { KeyRow } from "@nightshift/db";
import { Type, type Static } from "@sinclair/typebox";
import { toSeconds, toSecondsOrNull } from "../../present/seconds.ts";

/** Times are Unix seconds. */
export const ApiKeyObject = Type.Object(
  {
    object: Type.Literal("api_key"),
    id: Type.String(),
    tenant: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    hint: Type.String({ description: "The first characters of the key." }),
    created_at: Type.Integer(),
    revoked_at: Type.Union([Type.Integer(), Type.Null()]),
  },
  { $id: "ApiKey", additionalProperties: false },
);
export type ApiKeyObject = Static<typeof ApiKeyObject>;

/** The reply to POST /admin/v1/keys. No other reply contains the key. */
export const NewApiKeyObject = Type.Object(
  { ...ApiKeyObject.properties, key: Type.String({ description: "The key. It is shown only once." }) },
  { $id: "NewApiKey", additionalProperties: false },
);
export type NewApiKeyObject = Static<typeof NewApiKeyObject>;

/** Reply to DELETE /admin/v1/keys/{key_id}. */
export const RevokedApiKey = Type.Object(
  { object: Type.Literal("api_key"), id: Type.String(), deleted: Type.Literal(true) },
  { $id: "RevokedApiKey", additionalProperties: false },
);
export type RevokedApiKey = Static<typeof RevokedApiKey>;

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
