/** Validates input from clients against a schema, and words its errors as the wire contract does. */
import { errors, type RequestError } from "@nightshift/domain";
import type { Static, TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";

/** Returns the typed value, or throws a RequestError for the first fault. */
export type Parse<T> = (value: unknown) => T;

// All schemas share two instances, because each instance first compiles the meta-schema. `addUsedSchema` is false,
// because schemas are not looked up by $id, and a schema that is built for each app occurs more than once with the same
// $id.
const exact = new Ajv({ verbose: true, addUsedSchema: false });
const fromText = new Ajv({ verbose: true, coerceTypes: true, useDefaults: true, addUsedSchema: false });

/** Creates a parser for JSON bodies. It converts nothing. */
export function bodyParser<S extends TSchema>(schema: S): Parse<Static<S>> {
  return compile(schema, exact);
}

/**
 * Creates a parser for query strings and form fields, whose values are text. It converts numbers in place and sets
 * defaults.
 */
export function textParser<S extends TSchema>(schema: S): Parse<Static<S>> {
  return compile(schema, fromText);
}

function compile<S extends TSchema>(schema: S, ajv: Ajv): Parse<Static<S>> {
  const validate = ajv.compile<Static<S>>(schema);
  return (value) => {
    if (validate(value)) return value;
    throw firstFault(validate.errors ?? [], value);
  };
}

/**
 * A union reports the errors of all its branches. The deepest errors belong to the branch that the client meant: for
 * `metadata: {"tags": []}`, the reported error is at `metadata.tags`, and not that `metadata` should be null.
 */
function firstFault(faults: readonly ErrorObject[], root: unknown): RequestError {
  const depth = Math.max(...faults.map((fault) => fault.instancePath.split("/").length));
  const deepest = faults.filter((fault) => fault.instancePath.split("/").length === depth);
  const [fault] = deepest;
  if (fault === undefined) throw new Error("ajv refused a value without an error");
  const supported = deepest.flatMap((each) => (each.keyword === "const" ? [paramOf(each, "allowedValue")] : []));
  return toRequestError(fault, nameOf(fault, root), supported);
}

function toRequestError(fault: ErrorObject, name: string, supported: readonly string[]): RequestError {
  switch (fault.keyword) {
    case "required":
      return errors.missingParameter(join(name, paramOf(fault, "missingProperty")));
    case "additionalProperties":
      return errors.unknownParameter(join(name, paramOf(fault, "additionalProperty")));
    case "type":
      return name === ""
        ? errors.malformedJson()
        : errors.invalidType(name, paramOf(fault, "type"), typeOf(fault.data));
    case "const":
      return typeof fault.data === "string"
        ? errors.invalidValue(name, fault.data, supported)
        : errors.invalidType(name, "string", typeOf(fault.data));
    case "maxLength":
      return errors.outOfRange(
        name,
        `${lengthOf(fault)} must not be longer than ${paramOf(fault, "limit")} characters`,
      );
    default:
      return errors.outOfRange(name, ruleOf(fault));
  }
}

/** Returns the broken rule as the end of a sentence. For keywords that no schema here has, it uses the words of ajv. */
function ruleOf(fault: ErrorObject): string {
  const limit = paramOf(fault, "limit");
  switch (fault.keyword) {
    case "minimum":
      return `it must be at least ${limit}`;
    case "maximum":
      return `it must be at most ${limit}`;
    case "maxProperties":
      return `it must not have more than ${counted(limit, "key", "keys")}`;
    case "minItems":
      return `it must have at least ${counted(limit, "entry", "entries")}`;
    case "maxItems":
      return `it must not have more than ${counted(limit, "entry", "entries")}`;
    case "pattern":
      return "it contains a character that is not allowed";
    case "minLength":
      return "it must not be empty";
    default:
      return fault.message ?? "it is not accepted";
  }
}

function counted(count: string, one: string, several: string): string {
  return `${count} ${count === "1" ? one : several}`;
}

function lengthOf({ propertyName }: ErrorObject): string {
  return propertyName === undefined ? "the value" : "the key";
}

function paramOf(fault: ErrorObject, key: string): string {
  return String((fault.params as Record<string, unknown>)[key]);
}

/**
 * Turns `/metadata/tags` into `metadata.tags` and `/part_ids/0` into `part_ids[0]`. If a key itself is at fault, the
 * result names the object and the key.
 */
function nameOf(fault: ErrorObject, root: unknown): string {
  let name = "";
  let inside = root;
  for (const part of fault.instancePath.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    name = Array.isArray(inside) ? `${name}[${key}]` : join(name, key);
    inside = (inside as Readonly<Record<string, unknown>>)[key];
  }
  return fault.propertyName === undefined ? name : join(name, fault.propertyName);
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}.${name}`;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "decimal number";
  return typeof value;
}
