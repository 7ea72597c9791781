/**
 * Input that nobody would think of: requests from the OpenAPI document, and mutated input files. Seeded, so that a run can be
 * repeated. `npm run fuzz` does 20,000 requests and 5,000 files (FUZZ_REQUESTS, FUZZ_FILES, FUZZ_SEED); here it is a sample.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testServices } from "@nightshift/testing";
import { type BatchClient, createBatchClient, uploadForm } from "./batch-client.ts";
import { type FuzzedFile, fuzzedFiles } from "./fuzzed-files.ts";
import { fuzzRequests } from "./fuzzed-requests.ts";
import { useStack } from "./use-stack.ts";

const REQUESTS = Number(process.env["FUZZ_REQUESTS"] ?? 1_000);
const FILES = Number(process.env["FUZZ_FILES"] ?? 200);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

/** For the full run on a busy machine; a reply that takes longer than 10 s and a batch that takes a minute fail sooner. */
const TIMEOUT_MS = 3_600_000;
const AT_ONCE = 8;
/** The API of an idle stack takes some 120 MB, and its heap is marked late: see docs/adr. What grows with requests goes beyond. */
const MAX_API_BYTES = 400_000_000;

const root = path.resolve(import.meta.dirname, "../..");
const { python } = testServices();

function report(text: string): void {
  process.stdout.write(`fuzz: ${text}, seed ${String(SEED)}\n`);
}

describe("the one machine", () => {
  const { stack } = useStack({ profile: "one-machine" });
  let folder: string;
  let documented: Set<string>;
  let pidsBefore: readonly number[];
  const apiPids = async (): Promise<number[]> =>
    (await stack().processes()).filter(({ role }) => role === "api").map(({ pid }) => pid);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nightshift-fuzz-"));
    const page = await readFile(path.join(root, "docs/errors.md"), "utf8");
    const [, lines = ""] = page.split("## Lines of an input file");
    documented = new Set([...lines.matchAll(/^\| `(\w+)` \|/gm)].map(([, code = ""]) => code));
    pidsBefore = await apiPids();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const withPython = python === null ? test.skip : test;
  withPython(
    "answers every request as the document says",
    async () => {
      const counts = await fuzzRequests(stack(), {
        python: python ?? "",
        document: path.join(root, "docs/openapi-batch-file.yaml"),
        folder,
        seed: SEED,
        atLeast: REQUESTS,
      });

      report(`requests by status ${JSON.stringify(counts)}`);
      expect(Object.keys(counts).filter((status) => status === "500")).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "judges every file, with a code that is documented",
    async () => {
      const client = createBatchClient(stack());
      const files = fuzzedFiles(FILES, SEED);
      const ends: Record<string, number> = {};
      const next = async (): Promise<void> => {
        for (let file = files.pop(); file !== undefined; file = files.pop()) {
          const end = await judge(client, file, documented);
          ends[end] = (ends[end] ?? 0) + 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, next));

      report(`files ${JSON.stringify(ends)}`);
      const known = ["refused at upload", "failed", "completed"];
      expect(Object.keys(ends).filter((end) => !known.includes(end))).toEqual([]);
      expect(Object.keys(ends)).toEqual(expect.arrayContaining(["failed", "completed"]));
    },
    TIMEOUT_MS,
  );

  test("the API is the process of the beginning, and has not grown", async () => {
    const peaks = (await stack().memoryPeaks()).filter(({ role }) => role === "api");

    report(`API memory at its peak ${peaks.map(({ bytes }) => String(Math.round(bytes / 1e6))).join()} MB`);
    expect(await apiPids()).toEqual(pidsBefore);
    expect(Math.max(...peaks.map(({ bytes }) => bytes))).toBeLessThan(MAX_API_BYTES);
  });
});

/** How the file ended; anything unexpected in words. */
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
