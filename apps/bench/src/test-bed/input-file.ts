/** Writes input files for the benchmarks: chat or embedding requests of a given length. */
import { createWriteStream } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export type Endpoint = "/v1/chat/completions" | "/v1/embeddings";

export interface InputFile {
  readonly file: string;
  readonly endpoint: Endpoint;
  readonly lines: number;
}

export interface InputOptions {
  readonly lines: number;
  readonly endpoint?: Endpoint;
  /** The number of bytes of one line, including its line break. 0 means the shortest possible line, about 150 bytes. */
  readonly lineBytes?: number;
}

/** Writes an input file into `folder`. */
export async function writeInput(folder: string, options: InputOptions): Promise<InputFile> {
  const { lines, endpoint = "/v1/chat/completions", lineBytes = 0 } = options;
  const file = path.join(
    folder,
    `${endpoint.slice(4).replaceAll("/", "-")}-${String(lines)}-${String(lineBytes)}.jsonl`,
  );
  await pipeline(Readable.from(texts(lines, endpoint, lineBytes)), createWriteStream(file));
  return { file, endpoint, lines };
}

const LINES_PER_WRITE = 1_000;

function* texts(lines: number, endpoint: Endpoint, lineBytes: number): Generator<string> {
  for (let from = 0; from < lines; from += LINES_PER_WRITE) {
    const numbers = Array.from({ length: Math.min(LINES_PER_WRITE, lines - from) }, (_, i) => from + i);
    yield numbers.map((number) => lineText(number, endpoint, lineBytes)).join("");
  }
}

function lineText(number: number, endpoint: Endpoint, lineBytes: number): string {
  const short = render(number, endpoint, "");
  return render(number, endpoint, "x".repeat(Math.max(0, lineBytes - short.length)));
}

function render(number: number, endpoint: Endpoint, padding: string): string {
  const text = `Is review ${String(number)} kind?${padding}`;
  const body =
    endpoint === "/v1/embeddings"
      ? { model: "benchmark", input: text }
      : { model: "benchmark", messages: [{ role: "user", content: text }] };
  return `${JSON.stringify({ custom_id: `line-${String(number)}`, method: "POST", url: endpoint, body })}\n`;
}
