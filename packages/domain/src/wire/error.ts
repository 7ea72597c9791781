/** The envelope that every refusal comes in: contract §5.1. */
import { Type, type Static } from "@sinclair/typebox";

/** All four keys are always there. `detail` is the sibling that OpenAI's check of uploads adds. */
export const ErrorReply = Type.Object(
  {
    error: Type.Object(
      {
        message: Type.String({ description: "What is wrong and, where it can be said, what to change." }),
        type: Type.String({ description: "`invalid_request_error`, `rate_limit_error` or `server_error`." }),
        param: Type.Union([Type.String(), Type.Null()], { description: "The parameter at fault." }),
        code: Type.Union([Type.String(), Type.Null()], { description: "The kind of fault, for programs." }),
      },
      { additionalProperties: false },
    ),
    detail: Type.Optional(Type.Object({ message: Type.String(), code: Type.Null() }, { additionalProperties: false })),
  },
  { $id: "ErrorReply", additionalProperties: false },
);
export type ErrorReply = Static<typeof ErrorReply>;
