/** Describes the operations on API keys for the OpenAPI document. */
import { listSchema } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { JSON_BODY_CASES, ok, type Operation } from "../../operation.ts";
import { CreateKeyBody } from "./create-key.ts";
import { ListKeysQuery } from "./list-keys.ts";
import { ApiKeyObject, NewApiKeyObject, RevokedApiKey } from "./present-key.ts";

const shared = { tag: "Admin: keys", extension: true, key: "admin" } as const;

export const keyOperations: readonly Operation[] = [
  {
    ...shared,
    method: "post",
    path: "/admin/v1/keys",
    id: "createKey",
    summary: "Create an API key",
    description: "Returns the key, which is shown only once. Creates the tenant if this is its first key.",
    body: {
      mediaType: "application/json",
      schema: CreateKeyBody,
      isRequired: true,
      example: { tenant: "acme", name: "nightly jobs" },
    },
    replies: ok("The new key.", NewApiKeyObject, { revokeKey: { key_id: "$response.body#/id" } }),
    errors: [...JSON_BODY_CASES, "missingParameter", "invalidType", "outOfRange", "unknownParameter"],
  },
  {
    ...shared,
    method: "get",
    path: "/admin/v1/keys",
    id: "listKeys",
    summary: "List API keys",
    description: "Returns a page of keys, newest first, including revoked ones. The keys themselves are not shown.",
    query: ListKeysQuery,
    replies: ok("A page of keys.", listSchema(ApiKeyObject, "ApiKeyList")),
    errors: ["invalidType", "outOfRange"],
  },
  {
    ...shared,
    method: "delete",
    path: "/admin/v1/keys/{key_id}",
    id: "revokeKey",
    summary: "Revoke an API key",
    description: "The key stops working within 5 seconds. Revoking it again returns the same reply.",
    params: Type.Object({ key_id: Type.String({ description: "The id of a key." }) }),
    replies: ok("The key is revoked.", RevokedApiKey),
    errors: ["keyNotFound"],
  },
];
