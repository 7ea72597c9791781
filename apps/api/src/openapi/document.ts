/** The API's description, OpenAPI 3.1, made from the operations and the schemas that the code itself checks with. */
import { ErrorReply } from "@nightshift/domain";
import type { TObject } from "@sinclair/typebox";
import { stringify } from "yaml";
import { answerOf, errorReply, internalErrorReply } from "../middleware/error-handler.ts";
import { type Components, createComponents, type JsonSchema } from "./components.ts";
import { errorExamples } from "./error-examples.ts";
import type { ErrorCase, Operation, Reply } from "../operation.ts";

/** Cases that an operation can meet because of the key that it asks for. */
const CASES_BY_KEY: Readonly<Record<Operation["key"], readonly ErrorCase[]>> = {
  tenant: ["noApiKey", "wrongApiKey", "methodNotAllowed", "rateLimited", "unavailable"],
  // Without NIGHTSHIFT_ADMIN_KEY there is no admin API.
  admin: ["adminKeyOnly", "unknownUrl", "methodNotAllowed", "unavailable"],
  none: [],
};

const SECURITY: Readonly<Record<Operation["key"], readonly object[]>> = {
  tenant: [{ apiKey: [] }],
  admin: [{ adminKey: [] }],
  none: [],
};

/** What each reply of ours carries: contract §5.3. */
const COMMON_HEADERS = {
  "x-request-id": "The id of this request: `req_` and 32 hex digits. It is in the log too.",
  "openai-processing-ms": "Milliseconds until the head of the reply was written.",
};

const ERROR_DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: "The request is not right as it is; `message` says what to change.",
  401: "There is no key, or a wrong one.",
  403: "Not from there.",
  404: "There is no such object, or it is another tenant's.",
  405: "This path has no such method; `Allow` has those that it has.",
  409: "The object is in a state in which this cannot be done.",
  416: "The range begins beyond the end of the file; `Content-Range` says how long it is.",
  429: "Too much at once; `Retry-After` says when to try again.",
  500: "A fault of the service. The log has it under the request's id.",
  503: "A store is away. Nothing was lost; try again after `Retry-After` seconds.",
};

/** A description as plain data. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly JsonSchema[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: JsonSchema;
}

export interface DescribedOperation extends JsonSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly "x-nightshift-extension": boolean;
  readonly parameters?: readonly DescribedParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: object }>>;
  };
  readonly responses: Readonly<Record<string, DescribedReply>>;
}

export interface DescribedParameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
}

export interface DescribedReply extends JsonSchema {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema; readonly examples?: JsonSchema }>>;
}

/** The document as data. */
export function buildDocument(operations: readonly Operation[]): OpenApiDocument {
  const components = createComponents();
  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = describe(operation, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Nightshift",
      version: "1",
      license: { name: "MIT", identifier: "MIT" },
      description:
        "A Batch API that you host yourself, on OpenAI's wire: any of its SDKs works with another base URL. Operations with " +
        "`x-nightshift-extension: true` are Nightshift's own. `HEAD` is answered wherever `GET` is. Replies below `/v1` carry " +
        "`openai-version` and, where the key is good, `openai-organization` (the tenant); pages of any site may call there. " +
        "What cannot be read as a request at all is answered with 400, 408 or 431 in the envelope of errors, and the connection is closed.",
    },
    servers: [{ url: "http://localhost:8080" }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas(),
      headers: Object.fromEntries(Object.entries(COMMON_HEADERS).map(([name, text]) => [name, header(text)])),
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "A tenant's API key. The header `api-key: KEY` will do, too.",
        },
        adminKey: { type: "http", scheme: "bearer", description: "NIGHTSHIFT_ADMIN_KEY." },
      },
    },
  };
}

/** The document as the text of docs/openapi-batch-file.yaml, which GET /openapi.yaml serves. */
export function renderYaml(document: OpenApiDocument): string {
  const head = "# Generated from the schemas that the code checks with: npm run docs:openapi. Do not edit.\n";
  return head + stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function describe(operation: Operation, components: Components): DescribedOperation {
  const parameters = [
    ...describeParameters("path", operation.params, components),
    ...describeParameters("query", operation.query, components),
    ...describeParameters("header", operation.headers, components),
  ];
  const { body } = operation;
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: operation.description,
    tags: [operation.tag],
    "x-nightshift-extension": operation.extension,
    security: SECURITY[operation.key],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.isRequired,
            content: {
              [body.mediaType]: {
                schema: components.refer(body.schema),
                ...(body.example === undefined ? {} : { example: body.example }),
              },
            },
          },
        }),
    responses: describeReplies(operation, components),
  };
}

function describeParameters(place: string, object: TObject | undefined, components: Components): DescribedParameter[] {
  return Object.entries(object?.properties ?? {}).map(([name, property]) => {
    const { description, ...schema } = components.refer(property);
    return {
      name,
      in: place,
      required: object?.required?.includes(name) === true && !("default" in schema),
      description: typeof description === "string" ? description : "",
      schema,
    };
  });
}

function describeReplies(operation: Operation, components: Components): Record<string, DescribedReply> {
  const own = Object.entries(operation.replies).map(
    ([status, reply]) => [status, describeReply(reply, components)] as const,
  );
  const refused = [...casesByStatus(operation)].map(
    ([status, cases]) => [String(status), describeError(status, cases, components)] as const,
  );
  const broken = describeError(
    500,
    new Map([["internal", internalErrorReply("req_0123456789abcdef0123456789abcdef")]]),
    components,
  );
  const all = [...own, ...refused, ...(operation.key === "none" ? [] : [["500", broken] as const])];
  return Object.fromEntries(all.sort(([a], [b]) => Number(a) - Number(b)));
}

function casesByStatus(operation: Operation): Map<number, Map<string, ErrorReply>> {
  const byStatus = new Map<number, Map<string, ErrorReply>>();
  for (const name of [...CASES_BY_KEY[operation.key], ...operation.errors]) {
    const example = errorExamples[name];
    const { status } = answerOf(example.facts.kind);
    const cases = byStatus.get(status) ?? new Map<string, ErrorReply>();
    byStatus.set(status, cases.set(name, errorReply(example)));
  }
  return byStatus;
}

function describeReply({ description, content, headers, links }: Reply, components: Components): DescribedReply {
  const bodies = Object.entries(content ?? {}).map(
    ([type, schema]) => [type, schema === null ? {} : { schema: components.refer(schema) }] as const,
  );
  return {
    description,
    headers: describeHeaders(headers ?? {}),
    ...(bodies.length > 0 ? { content: Object.fromEntries(bodies) } : {}),
    ...(links === undefined ? {} : { links: describeLinks(links) }),
  };
}

function describeLinks(links: NonNullable<Reply["links"]>): JsonSchema {
  return Object.fromEntries(
    Object.entries(links).map(([operationId, parameters]) => [operationId, { operationId, parameters }]),
  );
}

function describeError(status: number, cases: ReadonlyMap<string, ErrorReply>, components: Components): DescribedReply {
  const more = {
    401: { "www-authenticate": "The scheme." },
    405: { allow: "The methods that this path has." },
    416: { "content-range": "`bytes */all`." },
  };
  const retry = {
    "retry-after": "Seconds.",
    ...(status === 429 ? { "retry-after-ms": "The same in milliseconds." } : {}),
  };
  const headers: Record<string, string> = {
    ...(status === 401 || status === 405 || status === 416 ? more[status] : {}),
    ...(status === 503 || status === 429 || status === 409 ? retry : {}),
    ...(status === 409 || status === 429
      ? { "x-should-retry": "Where it is there: `false`, the SDKs would repeat it otherwise; `true`, worth repeating." }
      : {}),
  };
  const examples = Object.fromEntries([...cases].map(([name, value]) => [name, { value }]));
  return {
    description: ERROR_DESCRIPTIONS[status] ?? "The request was refused.",
    headers: describeHeaders(headers),
    content: { "application/json": { schema: components.refer(ErrorReply), examples } },
  };
}

function describeHeaders(headers: Readonly<Record<string, string>>): JsonSchema {
  const own = Object.entries(headers).map(([name, description]) => [name, header(description)] as const);
  const common = Object.keys(COMMON_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  return Object.fromEntries([...common, ...own]);
}

function header(description: string): JsonSchema {
  return { description, schema: { type: "string" } };
}
