/** Sends requests that schemathesis generates from the OpenAPI document, valid and invalid, to a running stack. */
import path from "node:path";
import type { Stack } from "@nightshift/testing";
import { runCommand } from "./command.ts";

/**
 * The checks that every reply must pass. The checks that are left out test whether our schemas express all rules, but
 * schemas cannot express some rules.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
  "ignored_auth",
  "use_after_free",
  "ensure_resource_availability",
];

/** The checks of tests/e2e/python/fuzz_checks.py. */
const OWN_CHECKS = ["has_request_id", "refuses_in_envelope", "comes_in_time"];

const RUN =
  "import sys; sys.path.insert(0, sys.argv.pop(1)); import fuzz_checks; from schemathesis.cli import schemathesis; schemathesis()";

/** Longer than the 30 s that a client may ask /results to wait. fuzz_checks.py limits the time of each reply. */
const REQUEST_TIMEOUT_SECONDS = 45;
const ROUND_TIMEOUT_MS = 1_800_000;

export interface FuzzedRequests {
  readonly python: string;
  readonly document: string;
  /** A folder that the program may write to. */
  readonly folder: string;
  readonly seed: number;
  /** The number of examples for each operation. */
  readonly examples: number;
  /** The first round also has the examples and the coverage of limits, which are the same each time. */
  readonly isFirst: boolean;
}

/**
 * Runs one round: all operations with the tenant's key and, at the same time, the admin operations with the admin key.
 * Rejects with the program's report if a reply is wrong or late.
 */
export async function fuzzRequests(stack: Stack, options: FuzzedRequests): Promise<void> {
  // Without the admin key, admin operations only return 401. The coverage in the first round tests this well enough.
  const tenant = options.isFirst ? [] : ["--exclude-path-regex", "^/admin"];
  const run = async (key: string, scope: readonly string[]): Promise<void> => {
    const args = [...programArguments(stack, options, key), ...scope];
    const checks = path.join(import.meta.dirname, "python");
    await runCommand(options.python, ["-c", RUN, checks, ...args], options.folder, ROUND_TIMEOUT_MS);
  };
  await Promise.all([run(stack.key, tenant), run(stack.adminKey, ["--include-path-regex", "^/admin"])]);
}

function programArguments(stack: Stack, { document, seed, examples, isFirst }: FuzzedRequests, key: string): string[] {
  return [
    ...["run", document, "--url", stack.url, "-H", `Authorization: Bearer ${key}`],
    ...["--checks", [...CHECKS, ...OWN_CHECKS].join(), "--request-timeout", String(REQUEST_TIMEOUT_SECONDS)],
    ...["--no-color", "--no-shrink", "--continue-on-failure"],
    ...["--phases", isFirst ? "examples,coverage,fuzzing,stateful" : "fuzzing,stateful"],
    ...["--seed", String(seed), "-n", String(examples)],
    ...["--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"],
  ];
}

/**
 * Returns the requests that the APIs counted, by status. Leaves out requests for the metrics, which this function and
 * the memory recorder make.
 */
export async function answeredRequests(stack: Stack): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const url of stack.urls) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const [, labels = "", count] of text.matchAll(/^nightshift_http_requests_total\{(.*)\} (\d+)$/gm)) {
      const status = /status="(\w+)"/.exec(labels)?.[1] ?? "";
      if (!labels.includes('route="/metrics"')) counts[status] = (counts[status] ?? 0) + Number(count);
    }
  }
  return counts;
}
