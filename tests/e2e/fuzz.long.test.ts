/**
 * No request breaks the service or leaks memory: generated requests from the OpenAPI document, damaged requests that no
 * document can describe, forms, and mutated input files. A seed makes each run repeatable. This is a sample: `npm run
 * fuzz` sends 20,000 requests and 5,000 files (FUZZ_REQUESTS, FUZZ_FILES, FUZZ_SEED, FUZZ_PROFILE).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  availableProfiles,
  hasGrown,
  INSPECTABLE,
  type MemoryThirds,
  recordMemory,
  testServices,
} from "@nightshift/testing";
import { type BatchClient, chatLine, createBatchClient, uploadForm } from "./batch-client.ts";
import { fuzzedConnections, type KnownThings } from "./fuzzed-connections.ts";
import { type FuzzedFile, fuzzedFiles } from "./fuzzed-files.ts";
import { fuzzedForms } from "./fuzzed-forms.ts";
import { answeredRequests, fuzzRequests } from "./fuzzed-requests.ts";
import { exchangeRaw, faultsOf, type RawExchange } from "./raw-exchange.ts";
import { useStack } from "./use-stack.ts";

const REQUESTS = Number(process.env["FUZZ_REQUESTS"] ?? 500);
const FILES = Number(process.env["FUZZ_FILES"] ?? 100);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const PROFILE = availableProfiles().find((one) => one === process.env["FUZZ_PROFILE"]) ?? "one-machine";

/**
 * The number of examples for each operation in one round. In the full run, a round has about 2,000 requests in total.
 */
const EXAMPLES = Math.min(60, Math.ceil(REQUESTS / 100));
/** Each round also has connections of one to four requests, and forms. */
const CONNECTIONS = EXAMPLES * 10;
const FORMS = EXAMPLES * 10;

/**
 * A process is warm after a few thousand requests. Before that, caches fill and code is compiled, so thirds cannot be
 * compared.
 */
const IS_LONG = { requests: REQUESTS >= 10_000, files: FILES >= 2_500 };

/**
 * The timeout of the full run on a busy machine. A reply that takes longer than 10 s or a batch that takes a minute
 * fails sooner.
 */
const TIMEOUT_MS = 2 * 3_600_000;
const AT_ONCE = 8;
/**
 * The API of an idle stack takes about 120 MB, and its heap is marked late: see docs/adr. Memory that grows with
 * requests exceeds this limit.
 */
const MAX_API_BYTES = 400_000_000;

const root = path.resolve(import.meta.dirname, "../..");
const { python } = testServices();

function report(text: string): void {
  process.stdout.write(`fuzz: ${text}, seed ${String(SEED)}, ${PROFILE}\n`);
}

describe.each([PROFILE])("%s", () => {
  const { stack } = useStack({ profile: PROFILE, env: INSPECTABLE });
  let folder: string;
  let documented: Set<string>;
  let pidsBefore: readonly number[];
  let thirds: readonly MemoryThirds[] = [];
  const pids = async (): Promise<number[]> =>
    (await stack().processes()).filter(({ role }) => role === "api" || role === "worker").map(({ pid }) => pid);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nightshift-fuzz-"));
    const page = await readFile(path.join(root, "docs/errors.md"), "utf8");
    const [, lines = ""] = page.split("## Lines of an input file");
    documented = new Set([...lines.matchAll(/^\| `(\w+)` \|/gm)].map(([, code = ""]) => code));
    pidsBefore = await pids();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  /**
   * In the full run, starts two runs of the program at once, each with its own seed, so that a large machine is not
   * idle.
   */
  const fuzzByDocument = async (round: number): Promise<void> => {
    if (python === null) return;
    const document = path.join(root, "docs/openapi-batch-file.yaml");
    const options = { python, document, folder, examples: EXAMPLES };
    const first = { ...options, seed: SEED + 2 * round, isFirst: round === 0 };
    if (!IS_LONG.requests) await fuzzRequests(stack(), first);
    else
      await Promise.all(
        [first, { ...first, seed: first.seed + 1, isFirst: false }].map((one) => fuzzRequests(stack(), one)),
      );
  };
  const fuzzByHand = async (seed: number, raw: Record<string, number>): Promise<void> => {
    const known = { ...stack(), ...(await makeKnownThings(createBatchClient(stack()))) };
    const exchanges = [...fuzzedConnections(CONNECTIONS, seed, known), ...fuzzedForms(FORMS, seed, known)];
    expect(await faultsOfAll(stack().urls, exchanges, raw)).toEqual([]);
  };

  test(
    "answers every request as the OpenAPI document says",
    async () => {
      const memory = await recordMemory(stack());
      const raw: Record<string, number> = {};
      try {
        for (let round = 0; sum(await answeredRequests(stack())) < REQUESTS; round += 1) {
          await Promise.all([fuzzByDocument(round), fuzzByHand(SEED + round, raw)]);
        }
      } finally {
        thirds = await memory.end();
      }
      const counts = await answeredRequests(stack());
      report(`requests by status ${JSON.stringify(counts)}; of the raw connections ${JSON.stringify(raw)}`);
      report(`memory during requests ${describeThirds(thirds)}`);
      expect(Object.keys(counts).filter((status) => /^5(?!03)/.test(status))).toEqual([]);
      expect(IS_LONG.requests ? thirds.filter(hasGrown) : []).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "gives every file a result or a documented error code",
    async () => {
      const client = createBatchClient(stack());
      const memory = await recordMemory(stack());
      const ends: Record<string, number> = {};
      try {
        await forEachAtOnce(fuzzedFiles(FILES, SEED), async (file) => {
          count(ends, await judge(client, file, documented));
        });
      } finally {
        thirds = await memory.end();
      }

      report(`files ${JSON.stringify(ends)}`);
      report(`memory during files ${describeThirds(thirds)}`);
      const known = ["refused at upload", "failed", "completed"];
      expect(Object.keys(ends).filter((end) => !known.includes(end))).toEqual([]);
      expect(Object.keys(ends)).toEqual(expect.arrayContaining(["failed", "completed"]));
      expect(IS_LONG.files ? thirds.filter(hasGrown) : []).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test("no process has ended, and no API has used too much memory", async () => {
    const peaks = (await stack().memoryPeaks()).filter(({ role }) => role === "api" || role === "worker");

    report(`memory at its peak ${peaks.map(({ role, bytes }) => `${role} ${megabytes(bytes)}`).join(", ")} MB`);
    expect(await pids()).toEqual(pidsBefore);
    expect(peaks.filter(({ role, bytes }) => role === "api" && bytes > MAX_API_BYTES)).toEqual([]);
  });
});

/** Creates a file, a finished batch and a pending upload, so that not all requests end in a 404. */
async function makeKnownThings(client: BatchClient): Promise<Pick<KnownThings, "fileId" | "batchId" | "uploadId">> {
  const fileId = await client.upload(chatLine("one", "Why?"));
  const batch = await client.finished((await client.create(fileId)).id);
  const body = JSON.stringify({
    filename: "in.jsonl",
    purpose: "batch",
    bytes: 100_000,
    mime_type: "application/jsonl",
  });
  const reply = await client.request("/v1/uploads", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return { fileId, batchId: batch.id, uploadId: ((await reply.json()) as { id: string }).id };
}

/** Sends all exchanges, counts the replies by status in `counts`, and returns the faults of the replies. */
async function faultsOfAll(
  urls: readonly string[],
  exchanges: RawExchange[],
  counts: Record<string, number>,
): Promise<string[]> {
  const faults: string[] = [];
  let next = 0;
  await forEachAtOnce(exchanges, async (exchange) => {
    const received = await exchangeRaw(urls[next++ % urls.length] ?? "", exchange);
    for (const { status } of received.replies) count(counts, String(status));
    if (received.replies.length === 0) count(counts, "closed");
    faults.push(...faultsOf(exchange, received));
  });
  return faults;
}

/** Returns how the file ended, or a description of an unexpected result. */
async function judge(client: BatchClient, { bytes, endpoint }: FuzzedFile, documented: Set<string>): Promise<string> {
  const reply = await client.request("/v1/files", { method: "POST", body: uploadForm(bytes) });
  const body = (await reply.json()) as { id?: string; error?: { message: string } };
  if (reply.status === 400 && body.error?.message === "Invalid file format for Batch API. Must be .jsonl") {
    return "refused at upload";
  }
  if (reply.status !== 200 || body.id === undefined)
    return `upload ${String(reply.status)}: ${bytes.toString("base64")}`;
  const batch = await client.finished((await client.create(body.id, endpoint)).id);
  const codes = (batch.errors?.data ?? []).map(({ code }) => code);
  const isRight =
    batch.status === "failed" ? codes.length > 0 && codes.every((code) => documented.has(code)) : codes.length === 0;
  return isRight ? batch.status : `${batch.status} ${codes.join()}: ${bytes.toString("base64")}`;
}

async function forEachAtOnce<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const next = async (): Promise<void> => {
    for (let item = items.pop(); item !== undefined; item = items.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function describeThirds(all: readonly MemoryThirds[]): string {
  return all
    .map(({ name, thirds, noise }) => `${name} ${thirds.map(megabytes).join(" ")} ± ${megabytes(noise)} MB`)
    .join("; ");
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, one) => total + one, 0);

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
