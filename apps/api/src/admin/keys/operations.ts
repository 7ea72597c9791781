/** The admin API's operations of API keys, as the API's description has them. */
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
    summary: "Make an API key",
    description: "Answers with the key itself, this once. A tenant is made with its first key.",
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
    description: "A page of keys, the newest first, revoked ones among them; never the keys themselves.",
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
    description: "The key opens nothing any more, within 5 s everywhere. A second time it is the same answer.",
    params: Type.Object({ key_id: Type.String({ description: "The id of a key." }) }),
    replies: ok("The key is revoked.", RevokedApiKey),
    errors: ["keyNotFound"],
  },
];
