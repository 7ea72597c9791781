/** Schemas that several objects of the API share. */
import { Type, type TSchema } from "@sinclair/typebox";
import { EXPIRES_AFTER } from "../limits.ts";

/** A nullable field: sent as null, never omitted (contract §2 and §3.1). */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** `expires_after` of files and `output_expires_after` of batches: contract §1.1 and §1.3. */
export const expiresAfter = () =>
  Type.Object(
    {
      anchor: Type.Literal("created_at"),
      seconds: Type.Integer({ minimum: EXPIRES_AFTER.minSeconds, maximum: EXPIRES_AFTER.maxSeconds }),
    },
    { additionalProperties: false },
  );
