/** POST /admin/v1/keys: creates an API key, and the tenant if this is its first key. */
import { insertKey, type Db } from "@nightshift/db";
import { errors, type RandomBytes } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { readJsonBody } from "../../json-body.ts";
import { describeKey, newApiKey } from "../../new-api-key.ts";
import { bodyParser } from "../../request-schema.ts";
import { type NewApiKeyObject, presentKey } from "./present-key.ts";

const MAX_NAME_LENGTH = 200;

/** The rule for names of tenants. OpenAI's API has no tenants. */
const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const TENANT_NAME_RULE = "1 to 63 characters (a-z, 0-9, _ and -), beginning with a letter or a digit";

/** Body of POST /admin/v1/keys. */
export const CreateKeyBody = Type.Object(
  {
    tenant: Type.String({ description: TENANT_NAME_RULE }),
    name: Type.Optional(
      Type.String({ maxLength: MAX_NAME_LENGTH, description: "A note about the purpose of the key, in one line." }),
    ),
  },
  { $id: "CreateKeyRequest", additionalProperties: false },
);

const parseBody = bodyParser(CreateKeyBody);

export interface CreateKeyDeps {
  readonly db: Db;
  readonly random: RandomBytes;
}

/** The reply is the only place where the key appears: only its hash is stored. */
export function createKeyRoute({ db, random }: CreateKeyDeps): RequestHandler {
  return async (request, response) => {
    const { tenant, name } = parseBody(await readJsonBody(request, response));
    if (!TENANT_NAME.test(tenant)) throw errors.outOfRange("tenant", `it must be ${TENANT_NAME_RULE}`);
    if (name !== undefined && /\p{Cc}|\p{Surrogate}/u.test(name)) {
      throw errors.outOfRange("name", "it must be one line of Unicode text");
    }
    const key = newApiKey(random);
    const row = await insertKey(db, { ...describeKey(tenant, key), ...(name === undefined ? {} : { name }) });
    if (row === null) throw new Error("the random key already exists");
    response.setHeader("cache-control", "no-store");
    response.json({ ...presentKey(row), key } satisfies NewApiKeyObject);
  };
}
