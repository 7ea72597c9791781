/** The operations that need no key: how the process is, and the API's own description. */
import { Type } from "@sinclair/typebox";
import { ok, type Operation } from "../operation.ts";

const tag = "Service";

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal("ready"), Type.Literal("not ready"), Type.Literal("draining")]),
    checks: Type.Unsafe<Record<string, unknown>>({
      type: "object",
      additionalProperties: Type.Object({ ok: Type.Boolean(), error: Type.Optional(Type.String()) }),
    }),
  },
  { $id: "Readiness" },
);

const text = (path: string, id: string, summary: string, description: string, mediaType: string): Operation => ({
  method: "get",
  path,
  id,
  tag,
  summary,
  description,
  extension: true,
  key: "none",
  replies: { 200: { description: "The text.", content: { [mediaType]: null } } },
  errors: [],
});

export const serviceOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    tag,
    summary: "Is the process alive",
    description: "Answers 200 while the process runs, whatever it can reach.",
    extension: true,
    key: "none",
    replies: ok("It is.", Type.Object({ status: Type.Literal("ok") })),
    errors: [],
  },
  {
    method: "get",
    path: "/readyz",
    id: "getReadiness",
    tag,
    summary: "Can the process serve",
    description: "For load balancers: 200 where all stores answer within 2 s, else 503, with each store by its name.",
    extension: true,
    key: "none",
    replies: {
      ...ok("It can.", Readiness),
      503: { description: "It cannot, or it is on its way out.", content: { "application/json": Readiness } },
    },
    errors: [],
  },
  text("/metrics", "getMetrics", "Numbers for Prometheus", "Prometheus' text form.", "text/plain"),
  text("/openapi.yaml", "getDescription", "This description", "OpenAPI 3.1, in YAML.", "application/yaml"),
  text("/docs", "getDescriptionPage", "This description, to read", "One page that needs no network.", "text/html"),
];
