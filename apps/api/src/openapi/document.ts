/** Builds the OpenAPI 3.1 document from the operations, and from the schemas that validate requests. */
import { ErrorReply } from "@nightshift/domain";
import type { TObject } from "@sinclair/typebox";
import { stringify } from "yaml";
import { answerOf, errorReply, internalErrorReply } from "../middleware/error-handler.ts";
import { type Components, createComponents, type JsonSchema } from "./components.ts";
import { errorExamples } from "./error-examples.ts";
import type { ErrorCase, Operation, Reply } from "../operation.ts";

/** The errors that every operation with this kind of key can return. */
const CASES_BY_KEY: Readonly<Record<Operation["key"], readonly ErrorCase[]>> = {
  tenant: ["noApiKey", "wrongApiKey", "methodNotAllowed", "rateLimited", "unavailable"],
  // Without NIGHTSHIFT_ADMIN_KEY, the admin API is off and its paths are unknown.
  admin: ["adminKeyOnly", "unknownUrl", "methodNotAllowed", "unavailable"],
  none: [],
};

const SECURITY: Readonly<Record<Operation["key"], readonly object[]>> = {
  tenant: [{ apiKey: [] }],
  admin: [{ adminKey: [] }],
  none: [],
};

/** The headers of every reply: contract §5.3. */
const COMMON_HEADERS = {
  "x-request-id": "The id of this request: `req_` and 32 hex digits. The log contains it too.",
  "openai-processing-ms": "Milliseconds until the server sent the headers of the reply.",
};

const ERROR_DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: "The request is invalid. `message` says what to change.",
  401: "The API key is missing or invalid.",
  403: "The request is not allowed from this origin.",
  404: "The object does not exist, or belongs to another tenant.",
  405: "Method not allowed. See the `Allow` header.",
  409: "The state of the object does not allow this operation.",
  416: "The range begins after the end of the file. `Content-Range` has the length of the file.",
  429: "A limit is reached. `Retry-After`, if present, says when to retry.",
  500: "Internal error. The log of the server has the details under the request id.",
  503: "A database or an object store is unavailable. Retry after `Retry-After` seconds.",
};

/** The document as plain data. */
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

/** Returns the document as data. */
export function buildDocument(operations: readonly Operation[]): OpenApiDocument {
  const components = createComponents();
  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = describeOperation(operation, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Nightshift",
      version: "1",
      license: { name: "MIT", identifier: "MIT" },
      description:
        "A self-hosted Batch API that is compatible with OpenAI's: set the base URL of any OpenAI SDK to this server. OpenAI " +
        "does not have the operations with `x-nightshift-extension: true`. `HEAD` works on every path that has `GET`. Replies " +
        "below `/v1` have the header `openai-version` and, if the key is valid, `openai-organization` with the tenant. CORS " +
        "allows any origin below `/v1`. Malformed HTTP gets 400, 408 or 431 with an error object, and the server closes the " +
        "connection.",
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
          description: "The API key of a tenant. The header `api-key: KEY` works too.",
        },
        adminKey: { type: "http", scheme: "bearer", description: "The value of NIGHTSHIFT_ADMIN_KEY." },
      },
    },
  };
}

/** Returns the document as the text of docs/openapi-batch-file.yaml, which GET /openapi.yaml serves. */
export function renderYaml(document: OpenApiDocument): string {
  const head = "# Generated from the schemas that the code checks with: npm run docs:openapi. Do not edit.\n";
  return head + stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function describeOperation(operation: Operation, components: Components): DescribedOperation {
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
    401: { "www-authenticate": "The authentication scheme." },
    405: { allow: "The methods that this path supports." },
    416: { "content-range": "`bytes */LENGTH`, with the length of the file." },
  };
  const retry = {
    "retry-after": "Seconds to wait before a retry.",
    ...(status === 429 ? { "retry-after-ms": "Milliseconds to wait before a retry." } : {}),
  };
  const headers: Record<string, string> = {
    ...(status === 401 || status === 405 || status === 416 ? more[status] : {}),
    ...(status === 503 || status === 429 || status === 409 ? retry : {}),
    ...(status === 409 || status === 429
      ? {
          "x-should-retry":
            "Tells the SDKs whether to retry. `false` overrides their default; `true` means that a retry can succeed.",
        }
      : {}),
  };
  const examples = Object.fromEntries([...cases].map(([name, value]) => [name, { value }]));
  return {
    description: ERROR_DESCRIPTIONS[status] ?? "The request failed.",
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
