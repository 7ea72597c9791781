/** Defines an endpoint of the simulator by the schema of its body and the reply to a valid body. */
import type { Static, TObject } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";
import { type ApiError, badRequest } from "../api-error.ts";
import type { ReplyContext } from "./simulated-text.ts";

/** A reply as an object, or as JSON text where printing an object would take most of the time. */
export type SimulatedReply = object | string;

/** Answers a parsed body with the reply, or with the fault of the body. */
export type SimulatedEndpoint = (
  body: unknown,
  context: ReplyContext,
) => { reply: SimulatedReply } | { error: ApiError };

const ajv = new Ajv({ allowUnionTypes: true });

/** Calls `reply` only for bodies that match the schema `body`. */
export function defineEndpoint<Body extends TObject>(definition: {
  readonly body: Body;
  readonly reply: (body: Static<Body>, context: ReplyContext) => SimulatedReply;
}): SimulatedEndpoint {
  const isValid = ajv.compile<Static<Body>>(definition.body);
  return (body, context) => {
    if (isValid(body)) return { reply: definition.reply(body, context) };
    return { error: toApiError(isValid.errors?.[0]) };
  };
}

function toApiError(error: ErrorObject | undefined): ApiError {
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

/** Turns `/messages/0/role` into OpenAI's notation, `messages[0].role`. */
function toParam(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".");
}
