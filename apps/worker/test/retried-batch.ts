/** Finished batches with real bytes whose failed lines are asked for again, step by step: no queue, no timers, no upstream. */
import { randomUUID } from "node:crypto";
import {
  type BatchView,
  insertBatch,
  type Db,
  declareUpstream,
  ensureLinePartition,
  getBatch,
  insertBlob,
  insertFile,
  type RetryOutcome,
  moveBatch,
  openRetries,
  recordFlush,
} from "@nightshift/db";
import { answeredLine, createLineIndex, type LineSpan, type ResultKind } from "@nightshift/domain";
import { createLogger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import { newBatch } from "@nightshift/testing";
import { assembleBatch } from "../src/batch/assemble-batch.ts";
import { publishAnswered } from "../src/batch/publish-retries.ts";
import { inputLine } from "./line-fixture.ts";

/** What the steps work with; a test may give one of them another database or store. */
export interface RetryDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
}

export interface RetriedBatch {
  readonly view: () => Promise<BatchView>;
  /** Records a result for each of these lines, as one flush, with a reply that says `text`. */
  readonly record: (lines: readonly number[], resultKind: ResultKind, text: string) => Promise<void>;
  /** Makes the files of the batch, whose lines must all have a result. */
  readonly assemble: (deps?: Partial<RetryDeps>) => Promise<boolean>;
  /** Asks for lines again, as POST …/retry does. */
  readonly ask: (lines: readonly number[]) => Promise<RetryOutcome>;
  /** Makes what was answered the batch's. */
  readonly publish: (deps?: Partial<RetryDeps>) => Promise<boolean>;
  /** The content of a result file, also of a deleted one. */
  readonly content: (fileId: string | null) => Promise<Buffer>;
}

export const customId = (line: number): string => `id-${String(line)}`;

/** The result line of an answer that says `text`. */
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

/** A batch of `total` lines in progress, of a tenant of its own. */
export async function retriedBatch(deps: RetryDeps, total: number): Promise<RetriedBatch> {
  const { db, objects, clock } = deps;
  const mark = randomUUID();
  await db.query("insert into tenants (id) values ($1)", [mark]);
  await declareUpstream(db, { name: mark, concurrency: 8, requestsPerMinute: null, sliceLines: null });
  const { text, index, spans } = inputOf(total);
  const input = { id: `file-${mark}`, blob: `files/${mark}` };
  const indexBlob = `indexes/${mark}`;
  for (const [key, bytes] of [
    [input.blob, text],
    [indexBlob, index],
  ] as const) {
    await insertBlob(db, { key, ...(await objects.put(key, bytes)) });
  }
  const file = { ...input, tenant: mark, purpose: "batch", filename: "in.jsonl", bytes: text.length };
  await insertFile(db, { ...file, createdAt: clock(), expiresAt: null });
  const { batchNo: number, day } = await insertBatch(
    db,
    newBatch({ tenant: mark, inputFileId: input.id, createdAt: clock() }),
  );
  await ensureLinePartition(db, day);
  const inputBlob = input.blob;
  await moveBatch(
    db,
    number,
    { to: "in_progress", upstream: mark, model: null, inputBlob, indexBlob, total, firstByte: 0 },
    clock(),
  );

  const view = async (): Promise<BatchView> => {
    const found = await getBatch(db, number);
    if (found === null) throw new Error("the batch is gone");
    return found;
  };
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
      const requestGens = await requestGensOf(db, number);
      const pieces: Buffer[] = [];
      let offset = 0;
      const results = lines.map((line) => {
        const bytes = resultOf(line, resultKind, said);
        pieces.push(bytes);
        const place = { segment, offset, length: bytes.length };
        offset += bytes.length;
        const requestGen = requestGens.get(line) ?? 0;
        return { batchNo: number, line, sliceNo: 0, requestGen, resultKind, ...place, isExhausted: false, usage: null };
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
      return openRetries(db, { batchNo: number, lines: asked, askedBy: "a test" }, clock());
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

/** By line, which request of it is awaited. */
async function requestGensOf(db: Db, batchNo: number): Promise<Map<number, number>> {
  const { rows } = await db.query<{ line: number; requestGen: number }>(
    `select line, request_gen as "requestGen" from retries where batch_no = $1 and state = 'open'`,
    [batchNo],
  );
  return new Map(rows.map(({ line, requestGen }) => [line, requestGen]));
}
