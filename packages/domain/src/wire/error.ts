/** The envelope of every error reply: contract §5.1. */
import { Type, type Static } from "@sinclair/typebox";

/** All four keys of `error` are always present. OpenAI adds `detail` when it refuses an upload for a batch. */
export const ErrorReply = Type.Object(
  {
    error: Type.Object(
      {
        message: Type.String({ description: "The problem and, if possible, what to change." }),
        type: Type.String({ description: "`invalid_request_error`, `rate_limit_error` or `server_error`." }),
        param: Type.Union([Type.String(), Type.Null()], { description: "The parameter that caused the error." }),
        code: Type.Union([Type.String(), Type.Null()], { description: "The kind of error, for programs." }),
      },
      { additionalProperties: false },
    ),
    detail: Type.Optional(Type.Object({ message: Type.String(), code: Type.Null() }, { additionalProperties: false })),
  },
  { $id: "ErrorReply", additionalProperties: false },
);
export type ErrorReply = Static<typeof ErrorReply>;
