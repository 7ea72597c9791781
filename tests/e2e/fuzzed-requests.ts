/** Requests made up by schemathesis from the OpenAPI document, valid and invalid, against a running stack. */
import type { Stack } from "@nightshift/testing";
import { runCommand } from "./command.ts";

/** What must be so of every reply, whatever was sent. Those left out ask whether our schemas say all rules: some cannot be said. */
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

const RUN = "import sys; from schemathesis.cli import schemathesis; schemathesis()";

/** What each operation gets in one round; some 1,200 requests over all. */
const EXAMPLES_A_ROUND = 60;

export interface FuzzedRequests {
  readonly python: string;
  readonly document: string;
  /** Where the program may write. */
  readonly folder: string;
  /** The first round's; each round has the next. */
  readonly seed: number;
  /** Rounds follow each other until so many requests were answered. */
  readonly atLeast: number;
}

/** Requests answered, by status. Rejects with the program's report where a reply is not as it must be or does not come within 10 s. */
export async function fuzzRequests(stack: Stack, options: FuzzedRequests): Promise<Record<string, number>> {
  for (let round = 0; sum(await answered(stack)) < options.atLeast; round += 1) {
    await runCommand(options.python, ["-c", RUN, ...programArguments(stack, options, round)], options.folder, 600_000);
  }
  return answered(stack);
}

function programArguments(stack: Stack, { document, seed }: FuzzedRequests, round: number): string[] {
  return [
    ...["run", document, "--url", stack.url, "-H", `Authorization: Bearer ${stack.key}`],
    ...["--checks", CHECKS.join(), "--request-timeout", "10", "--no-color", "--no-shrink", "--continue-on-failure"],
    // The coverage of limits is the same each time.
    ...["--phases", round === 0 ? "examples,coverage,fuzzing,stateful" : "fuzzing,stateful"],
    ...["--seed", String(seed + round), "-n", String(EXAMPLES_A_ROUND)],
    ...["--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"],
  ];
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** What the API itself counted. */
async function answered(stack: Stack): Promise<Record<string, number>> {
  const text = await (await fetch(`${stack.url}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, status = "", count] of text.matchAll(/^nightshift_http_requests_total\{.*status="(\w+)"\} (\d+)$/gm)) {
    counts[status] = (counts[status] ?? 0) + Number(count);
  }
  return counts;
}
