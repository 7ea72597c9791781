/** DELETE /admin/v1/keys/{id}: the key opens nothing any more. Its row stays, so that lists tell when. */
import { type Db, revokeKey } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import type { RequestHandler } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import type { RevokedApiKey } from "./present-key.ts";

export interface RevokeKeyDeps {
  readonly db: Db;
  readonly clock: () => Date;
  /** Makes this process forget which keys were good. */
  readonly forgetKeys: () => void;
}

/** At once in this process, within 5 s in others. A second time it is the same answer; 404 where no key has that id. */
export function revokeKeyRoute({ db, clock, forgetKeys }: RevokeKeyDeps): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "key_id");
    if (!isObjectId(id) || !(await revokeKey(db, id, clock()))) throw errors.keyNotFound(id);
    forgetKeys();
    response.json({ object: "api_key", id, deleted: true } satisfies RevokedApiKey);
  };
}
