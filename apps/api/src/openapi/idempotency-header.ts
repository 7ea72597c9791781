/** How the API's description tells of the Idempotency-Key: apps/api/src/idempotency.ts. */
import { IDEMPOTENCY_KEY } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { ErrorCase } from "./operation.ts";

/** The request header, for operations that read it. */
export const IdempotencyHeaders = Type.Object({
  "Idempotency-Key": Type.Optional(
    Type.String({
      pattern: `^[!-~]{1,${String(IDEMPOTENCY_KEY.maxLength)}}$`,
      description:
        "Nightshift's own. The same request again within 24 hours is answered with the object that the first one made.",
    }),
  ),
});

export const REPLAYED_HEADER = {
  "idempotency-replayed": "`true` where the object was made by an earlier request with the same `Idempotency-Key`.",
};

export const IDEMPOTENCY_CASES = [
  "idempotencyKeyReused",
  "idempotencyKeyInUse",
] as const satisfies readonly ErrorCase[];
