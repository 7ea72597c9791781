/** Checks what a client sent against a schema, and says what is wrong in the contract's words. */
import { errors, type RequestError } from "@nightshift/domain";
import type { Static, TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";

/** Returns the value as its type, or throws the RequestError of its first fault. */
export type Parse<T> = (value: unknown) => T;

// One of each for all schemas: an instance compiles JSON Schema's own schema before it can check the first of ours. Schemas
// are not looked up by their $id, and one that is made for each app may come again.
const exact = new Ajv({ verbose: true, addUsedSchema: false });
const fromText = new Ajv({ verbose: true, coerceTypes: true, useDefaults: true, addUsedSchema: false });

/** For JSON bodies: nothing is converted. */
export function bodyParser<S extends TSchema>(schema: S): Parse<Static<S>> {
  return compile(schema, exact);
}

/** For query strings and form fields, where every value comes as text: numbers are read from it, in place. */
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
 * Of a union's errors those of the branch that got furthest into the value are the ones meant: for
 * `metadata: {"tags": []}` they are those at `metadata.tags`, and not that `metadata` is not null.
 */
function firstFault(faults: readonly ErrorObject[], root: unknown): RequestError {
  const depth = Math.max(...faults.map((fault) => fault.instancePath.split("/").length));
  const deepest = faults.filter((fault) => fault.instancePath.split("/").length === depth);
  const [fault] = deepest;
  if (fault === undefined) throw new Error("ajv refused a value without saying why");
  const supported = deepest.flatMap((each) => (each.keyword === "const" ? [paramOf(each, "allowedValue")] : []));
  return describe(fault, nameOf(fault, root), supported);
}

function describe(fault: ErrorObject, name: string, supported: readonly string[]): RequestError {
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

/** The rule that a value breaks, as the end of a sentence; ajv's own words for what no schema of ours asks. */
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
      return "it has a character that none of its values has";
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

/** `/metadata/tags` as `metadata.tags` and `/part_ids/0` as `part_ids[0]`; for a fault in a key's name, the object and that key. */
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
