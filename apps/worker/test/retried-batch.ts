/** Finished batches with real files whose failed lines are retried step by step, without queue, timers or upstream. */
import { randomUUID } from "node:crypto";
import { type BatchView, type Db, insertBlob, type RetryOutcome, openRetries, recordFlush } from "@nightshift/db";
import { answeredLine, createLineIndex, type LineSpan, type ResultKind } from "@nightshift/domain";
import { createLogger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import { newBatch, newInputFile, newTenant, newUpstream, startBatch, viewOf } from "@nightshift/testing/batches";
import { assembleBatch } from "../src/steps/assemble/assemble-batch.ts";
import { publishAnswered } from "../src/steps/retry/publish-retries.ts";
import { inputLine } from "./line-fixture.ts";

/** The dependencies of the steps. A test may give one step another database or store. */
export interface RetryDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
}

export interface RetriedBatch {
  readonly view: () => Promise<BatchView>;
  /** Records a result for each of these lines in one flush. The replies contain `text`. */
  readonly record: (lines: readonly number[], resultKind: ResultKind, text: string) => Promise<void>;
  /** Assembles the files of the batch. Each line must have a result. */
  readonly assemble: (deps?: Partial<RetryDeps>) => Promise<boolean>;
  /** Requests a retry of lines, as POST …/retry does. */
  readonly ask: (lines: readonly number[]) => Promise<RetryOutcome>;
  /** Publishes the results of the retries. */
  readonly publish: (deps?: Partial<RetryDeps>) => Promise<boolean>;
  /** Returns the content of a result file, even if the file is deleted. */
  readonly content: (fileId: string | null) => Promise<Buffer>;
}

export const customId = (line: number): string => `id-${String(line)}`;

/** Returns the result line of a reply that contains `text`. */
export function resultOf(line: number, resultKind: ResultKind, text: string): Buffer {
  const reply = {
    status: resultKind === "output" ? 200 : 500,
    requestId: `req-${String(line)}`,
    body: Buffer.from(JSON.stringify({ text })),
  };
  return Buffer.concat(
    answeredLine(`batch_req_${String(line)}`, Buffer.from(JSON.stringify(customId(line))), reply).pieces,
  );
}

/** Creates a batch of `total` lines in progress, with its own tenant. */
export async function retriedBatch(deps: RetryDeps, total: number): Promise<RetriedBatch> {
  const { db, objects, clock } = deps;
  const tenant = await newTenant(db);
  const { text, index, spans } = inputOf(total);
  const mark = randomUUID();
  const [inputBlob, indexBlob] = [`files/${mark}`, `indexes/${mark}`];
  const blob = { key: inputBlob, ...(await objects.put(inputBlob, text)) };
  await insertBlob(db, { key: indexBlob, ...(await objects.put(indexBlob, index)) });
  const inputFileId = await newInputFile(db, { tenant, blob, createdAt: clock(), expiresAt: null });
  const batch = await newBatch(db, { tenant, inputFileId, createdAt: clock() });
  await startBatch(db, batch, total, await newUpstream(db, 8), { inputBlob, indexBlob });
  const { batchNo } = batch;

  const view = (): Promise<BatchView> => viewOf(db, batchNo);
  const withUsual = (change: Partial<RetryDeps>) => ({
    ...deps,
    logger: createLogger({ name: "test", level: "silent" }),
    batchFileLifeSeconds: null,
    ...change,
  });
  return {
    view,
    record: async (lines, resultKind, said) => {
      const segment = `segments/${randomUUID()}`;
      const requestGens = await requestGensOf(db, batchNo);
      const pieces: Buffer[] = [];
      let offset = 0;
      const results = lines.map((line) => {
        const bytes = resultOf(line, resultKind, said);
        pieces.push(bytes);
        const place = { segment, offset, length: bytes.length };
        offset += bytes.length;
        const requestGen = requestGens.get(line) ?? 0;
        return { batchNo, line, sliceNo: 0, requestGen, resultKind, ...place, isExhausted: false, usage: null };
      });
      await objects.put(segment, Buffer.concat(pieces));
      await recordFlush(db, { segments: [{ key: segment, bytes: offset }], results, returns: [] }, clock());
    },
    assemble: async (change = {}) => assembleBatch(withUsual(change), await view()),
    ask: (lines) => {
      const asked = lines.map((line) => {
        const { offset, length } = spans[line] ?? { offset: 0, length: 0 };
        return { line, byteOffset: offset, byteLength: length };
      });
      return openRetries(db, { batchNo, lines: asked, askedBy: "a test" }, clock());
    },
    publish: async (change = {}) => publishAnswered(withUsual(change), await view()),
    content: async (fileId) => {
      const { rows } = await db.query<{ blob: string }>("select blob from files where id = $1", [fileId]);
      return objects.read(rows[0]?.blob ?? "");
    },
  };
}

function inputOf(total: number): { text: Buffer; index: Buffer; spans: LineSpan[] } {
  const index = createLineIndex();
  const spans: LineSpan[] = [];
  const lines = Array.from({ length: total }, (_, line) => inputLine(customId(line)));
  let offset = 0;
  for (const line of lines) {
    const span = { offset, length: Buffer.byteLength(line) };
    index.add(span);
    spans.push(span);
    offset += span.length + 1;
  }
  return { text: Buffer.from(lines.join("\n")), index: index.toBuffer(), spans };
}

/** Returns the `request_gen` of each open retry, by line. */
async function requestGensOf(db: Db, batchNo: number): Promise<Map<number, number>> {
  const { rows } = await db.query<{ line: number; requestGen: number }>(
    `select line, request_gen as "requestGen" from retries where batch_no = $1 and state = 'open'`,
    [batchNo],
  );
  return new Map(rows.map(({ line, requestGen }) => [line, requestGen]));
}
