/** One endpoint of the simulator: the schema of its body, and the reply to a body that fits it. */
import type { Static, TObject } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";
import { type ApiError, badRequest } from "../api-error.ts";
import type { ReplyContext } from "./simulated.ts";

/** A reply as an object to be printed, or as JSON text already, where printing would cost most of the time. */
export type ReplyBody = object | string;

/** Answers a parsed body: the reply, or what is wrong with the body. */
export type Endpoint = (body: unknown, context: ReplyContext) => { reply: ReplyBody } | { error: ApiError };

const ajv = new Ajv({ allowUnionTypes: true });

/** `reply` is only asked about bodies that fit `body`. */
export function defineEndpoint<Body extends TObject>(definition: {
  readonly body: Body;
  readonly reply: (body: Static<Body>, context: ReplyContext) => ReplyBody;
}): Endpoint {
  const isValid = ajv.compile<Static<Body>>(definition.body);
  return (body, context) => {
    if (isValid(body)) return { reply: definition.reply(body, context) };
    return { error: describe(isValid.errors?.[0]) };
  };
}

function describe(error: ErrorObject | undefined): ApiError {
  if (error?.keyword === "required") {
    const { missingProperty } = error.params as { missingProperty: string };
    const param = toParam(`${error.instancePath}/${missingProperty}`);
    return badRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
  }
  const param = toParam(error?.instancePath ?? "");
  if (param === "") return badRequest("The body of a request must be a JSON object.");
  return badRequest(
    `Invalid value for '${param}': ${error?.message ?? "it is not supported"}.`,
    param,
    "invalid_value",
  );
}

/** `/messages/0/role` as OpenAI writes it: `messages[0].role`. */
function toParam(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".");
}
