/** DELETE /admin/v1/keys/{id}: revokes the key. Its row stays, so that lists show when it was revoked. */
import { type Db, revokeKey } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import type { RequestHandler } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import type { RevokedApiKey } from "./present-key.ts";

export interface RevokeKeyDeps {
  readonly db: Db;
  readonly clock: () => Date;
  /** Clears the cache of valid keys in this process. */
  readonly forgetKeys: () => void;
}

/**
 * The key stops working at once in this process, and within 5 s in others. Revoking it again returns the same reply.
 */
export function revokeKeyRoute({ db, clock, forgetKeys }: RevokeKeyDeps): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "key_id");
    if (!isObjectId(id) || !(await revokeKey(db, id, clock()))) throw errors.keyNotFound(id);
    forgetKeys();
    response.json({ object: "api_key", id, deleted: true } satisfies RevokedApiKey);
  };
}
