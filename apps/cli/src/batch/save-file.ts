/** Downloads files of the server to disk or to standard output. */
import { createWriteStream } from "node:fs";
import { rename, rm, unlink } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type OpenAI from "openai";

/** The default path for failed lines, next to the results: `results.errors.jsonl` for `results.jsonl`. */
export function errorsFileFor(output: string): string {
  return `${output.replace(/(?<=[^/\\])\.jsonl$/, "")}.errors.jsonl`;
}

/** Writes the bytes of a file to `target`, completely or not at all. */
export async function saveFile(client: OpenAI, fileId: string, target: string): Promise<void> {
  const draft = `${target}.part`;
  try {
    await pipeline(await openFile(client, fileId), createWriteStream(draft));
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Removes the file at `target`. Resolves with false if it does not exist. */
export async function removeEarlier(target: string): Promise<boolean> {
  try {
    await unlink(target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Writes the bytes of a file to standard output. */
export async function printFile(client: OpenAI, fileId: string): Promise<void> {
  try {
    await pipeline(await openFile(client, fileId), process.stdout, { end: false });
  } catch (error) {
    // EPIPE: the reader has closed the pipe, as in `nightshift run ... | head`.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

/** Reads the first lines of a file. */
export async function firstLines(client: OpenAI, fileId: string, count: number): Promise<string[]> {
  const input = await openFile(client, fileId);
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input })) {
      if (lines.push(line) >= count) break;
    }
  } finally {
    input.destroy();
  }
  return lines;
}

async function openFile(client: OpenAI, fileId: string): Promise<Readable> {
  const reply = await client.files.content(fileId);
  return reply.body === null ? Readable.from([]) : Readable.fromWeb(reply.body);
}
