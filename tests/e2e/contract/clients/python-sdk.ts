/** The contract client that uses the official Python SDK. One Python process makes all calls, one after another. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Answer, Client, Fields, FileToSend, Json, Target } from "./client.ts";

/** A running Python process with the SDK. */
export interface PythonSdk {
  /** Calls a method of the SDK's client by its dotted name. `walk` with a resource reads all pages of its list. */
  readonly call: (key: string, call: string, args: readonly unknown[], kwargs?: Fields) => Promise<Answer>;
  readonly client: (key: string) => Client;
  readonly stop: () => Promise<void>;
}

/** An argument that Python's signature requires and that the row omits. */
const OMITTED = { $omit: true };

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Starts `python`. The process ends at the latest when its standard input ends. */
export function startPythonSdk(python: string, { urls }: Pick<Target, "urls">): PythonSdk {
  const script = path.join(import.meta.dirname, "../../python/sdk_calls.py");
  const child = spawn(python, [script, ...urls.map((url) => `${url}/v1`)], { stdio: ["pipe", "pipe", "pipe"] });
  const waiting: Waiting[] = [];
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  child.once("exit", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Python ended.\n${errors.join("")}`));
  });
  readAnswers(child.stdout, waiting);

  const call: PythonSdk["call"] = (key, name, args, kwargs = {}) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      write(child.stdin, { call: name, key, args, kwargs });
    });
  return { call, client: (key) => createClient(call, key), stop: () => stop(child) };
}

/** Reads the answers, which arrive in the order of the calls. */
function readAnswers(output: Readable, waiting: Waiting[]): void {
  createInterface({ input: output }).on("line", (line) => {
    const { fault, ...answer } = JSON.parse(line) as Omit<Answer, "bytes"> & { fault?: string; bytes: string | null };
    const first = waiting.shift();
    if (fault !== undefined) first?.reject(new Error(fault));
    else first?.resolve({ ...answer, bytes: answer.bytes === null ? null : Buffer.from(answer.bytes, "base64") });
  });
}

function write(input: Writable, call: Json): void {
  input.write(`${JSON.stringify(call, (_name, value: unknown) => (value === undefined ? OMITTED : value))}\n`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}

function createClient(call: PythonSdk["call"], key: string): Client {
  const on =
    (name: string) =>
    (...args: readonly unknown[]): Promise<Answer> =>
      call(key, name, args);
  return {
    files: {
      create: (file, fields) => call(key, "files.create", [], { purpose: undefined, ...fields, file: encoded(file) }),
      list: (query) => call(key, "files.list", [], query),
      retrieve: on("files.retrieve"),
      delete: on("files.delete"),
      content: on("files.content"),
    },
    uploads: {
      create: (fields) =>
        call(key, "uploads.create", [], {
          bytes: undefined,
          filename: undefined,
          mime_type: undefined,
          purpose: undefined,
          ...fields,
        }),
      addPart: (id, data) => call(key, "uploads.parts.create", [id], { data: encoded({ bytes: data }) }),
      complete: (id, fields) => call(key, "uploads.complete", [id], { part_ids: undefined, ...fields }),
      cancel: on("uploads.cancel"),
    },
    batches: {
      create: (fields) =>
        call(key, "batches.create", [], {
          completion_window: undefined,
          endpoint: undefined,
          input_file_id: undefined,
          ...fields,
        }),
      list: (query) => call(key, "batches.list", [], query),
      retrieve: on("batches.retrieve"),
      cancel: on("batches.cancel"),
    },
    unwrap: async (body, headers, secret) => {
      const { json } = await call(key, "webhooks.unwrap", [body, headers], { secret });
      return json ?? {};
    },
    nameOfBareBytes: "upload",
    retries: 2,
    withKey: (otherKey) => createClient(call, otherKey),
  };
}

function encoded(file: FileToSend | undefined): unknown {
  return file && { $bytes: file.bytes.toString("base64"), name: file.name ?? null };
}
