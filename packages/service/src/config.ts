/**
 * Reads the environment variables of a process by a schema. Reports all faults at once, and never replaces a wrong
 * value with a default.
 */
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";
import ajvFormats from "ajv-formats";
import { distance } from "fastest-levenshtein";
import { KNOWN_VARIABLES } from "./known-variables.ts";
import { StartupError } from "./startup-error.ts";

const OUR_PREFIX = "NIGHTSHIFT_";

/** A faulty variable and its problem, such as `got "x", expected an integer` or `is not set, expected …`. */
export interface ConfigFault {
  readonly variable: string;
  readonly problem: string;
}

/** Lists all faults of the variables, or of a file that a variable names. */
export class ConfigError extends StartupError {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(processName: string, faults: readonly ConfigFault[], options?: ErrorOptions) {
    const width = Math.max(...faults.map((fault) => fault.variable.length));
    const lines = faults.map((fault) => `  ${fault.variable.padEnd(width)}  ${fault.problem}`);
    super(`${processName} cannot start. Fix these environment variables:\n${lines.join("\n")}`, options);
    this.faults = faults;
  }
}

/**
 * Returns the variables that `schema` names, converted to its types, with its defaults, frozen. White space around a
 * value is ignored, and an empty value counts as not set. Throws ConfigError with all faults, including every
 * `NIGHTSHIFT_` variable that no process of Nightshift reads. A property's `description` describes a valid value: the
 * message shows it after "expected".
 */
export function readConfig<S extends TObject>(schema: S, env: NodeJS.ProcessEnv, processName: string): Static<S> {
  const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, strict: true, allowUnionTypes: true });
  ajvFormats.default(ajv);
  const values: Record<string, unknown> = {};
  for (const variable of Object.keys(schema.properties)) {
    const value = env[variable]?.trim();
    if (value !== undefined && value !== "") values[variable] = value;
  }

  const validate = ajv.compile(schema);
  const isValid = validate(values);
  const faults = [...describeErrors(schema, env, validate.errors ?? []), ...findUnknown(schema, env)];
  if (!isValid || faults.length > 0) throw new ConfigError(processName, faults);
  return Object.freeze(values);
}

function describeErrors(schema: TObject, env: NodeJS.ProcessEnv, errors: readonly ErrorObject[]): ConfigFault[] {
  const variables = new Set(errors.map(nameVariable).filter((variable) => variable !== ""));
  return [...variables].map((variable) => {
    const property = schema.properties[variable];
    const expected = property === undefined ? "a value" : describeExpectation(property);
    const got = env[variable]?.trim() ?? "";
    const state = got === "" ? "is not set" : `got ${show(variable, got)}`;
    return { variable, problem: `${state}, expected ${expected}` };
  });
}

function nameVariable(error: ErrorObject): string {
  const missing: unknown = (error.params as Record<string, unknown>)["missingProperty"];
  return typeof missing === "string" ? missing : (error.instancePath.split("/")[1] ?? "");
}

/** Hides keys and the passwords in URLs, because the message appears in logs and on screens. */
function show(variable: string, value: string): string {
  if (/(KEY|KEY_ID|SECRET|TOKEN|PASSWORD)$/.test(variable)) return `a value of ${String(value.length)} characters`;
  return JSON.stringify(value.replaceAll(/[^/@\s]*@/g, "***@"));
}

function findUnknown(schema: TObject, env: NodeJS.ProcessEnv): ConfigFault[] {
  const known = [...new Set([...Object.keys(KNOWN_VARIABLES), ...Object.keys(schema.properties)])];
  return Object.keys(env)
    .filter((variable) => variable.startsWith(OUR_PREFIX) && !known.includes(variable))
    .map((variable) => {
      const nearest = findNearest(variable, known);
      const hint = nearest === null ? "" : `; did you mean ${nearest}?`;
      return { variable, problem: `is not a variable of Nightshift${hint}` };
    });
}

/** Returns the most similar known name, or null if more than half of the name differs. Ignores the prefix. */
function findNearest(variable: string, known: readonly string[]): string | null {
  const name = variable.slice(OUR_PREFIX.length);
  const byDistance = known
    .map((candidate) => ({ candidate, edits: distance(name, candidate.replace(OUR_PREFIX, "")) }))
    .sort((a, b) => a.edits - b.edits);
  const nearest = byDistance[0];
  return nearest !== undefined && nearest.edits <= name.length / 2 ? nearest.candidate : null;
}

/** Describes a valid value, as the end of "expected …". Uses the schema's `description` if it has one. */
function describeExpectation(schema: TSchema): string {
  if (schema.description !== undefined) return schema.description;
  const choices = listChoices(schema);
  if (choices !== null) return `one of ${choices.join(", ")}`;
  if (schema["type"] === "integer") return `an integer${describeBounds(schema)}`;
  if (schema["type"] === "number") return `a number${describeBounds(schema)}`;
  if (schema["type"] === "boolean") return "true or false";
  if (typeof schema["format"] === "string") return `a string of the format ${schema["format"]}`;
  if (typeof schema["pattern"] === "string") return `a string that matches ${schema["pattern"]}`;
  return "a string";
}

function listChoices(schema: TSchema): string[] | null {
  const options: unknown = schema["anyOf"];
  if (!Array.isArray(options)) return "const" in schema ? [String(schema["const"])] : null;
  const choices = (options as TSchema[]).map(listChoices);
  return choices.every((choice) => choice !== null) ? choices.flat() : null;
}

function describeBounds(schema: TSchema): string {
  const least: unknown = schema["minimum"];
  const most: unknown = schema["maximum"];
  if (typeof least === "number" && typeof most === "number") return ` from ${String(least)} to ${String(most)}`;
  if (typeof least === "number") return ` of at least ${String(least)}`;
  if (typeof most === "number") return ` of at most ${String(most)}`;
  return "";
}
