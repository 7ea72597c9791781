/** Describes the operations that need no key: health, metrics, and the description of the API. */
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

const textOperation = (
  path: string,
  id: string,
  summary: string,
  description: string,
  mediaType: string,
): Operation => ({
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
    summary: "Liveness check",
    description: "Returns 200 while the process runs, even if a backend is unavailable.",
    extension: true,
    key: "none",
    replies: ok("The process is alive.", Type.Object({ status: Type.Literal("ok") })),
    errors: [],
  },
  {
    method: "get",
    path: "/readyz",
    id: "getReadiness",
    tag,
    summary: "Readiness check",
    description:
      "Tells load balancers whether to send requests: 200 if every backend responds within 2 seconds, and 503 otherwise. `checks` lists each backend by name.",
    extension: true,
    key: "none",
    replies: {
      ...ok("The process is ready.", Readiness),
      503: {
        description: "A backend is unavailable, or the process is shutting down.",
        content: { "application/json": Readiness },
      },
    },
    errors: [],
  },
  textOperation(
    "/metrics",
    "getMetrics",
    "Metrics for Prometheus",
    "Metrics in the Prometheus text format.",
    "text/plain",
  ),
  textOperation("/openapi.yaml", "getDescription", "This document", "OpenAPI 3.1 in YAML.", "application/yaml"),
  textOperation(
    "/docs",
    "getDescriptionPage",
    "API reference",
    "This document as a page that loads nothing from other hosts.",
    "text/html",
  ),
];
