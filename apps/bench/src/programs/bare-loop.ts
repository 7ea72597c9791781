/**
 * The baseline of throughput: one process that reads requests, sends them with undici at the same concurrency to the
 * same upstream, and writes the results. It is the script that an engineer writes in an afternoon, without durability,
 * retries or a way to resume.
 */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Pool } from "undici";

const { values } = parseArgs({
  options: {
    input: { type: "string", default: "" },
    output: { type: "string", default: "" },
    upstream: { type: "string", default: "" },
    concurrency: { type: "string", default: "256" },
  },
});
const concurrency = Number(values.concurrency);

interface BatchRequest {
  readonly custom_id: string;
  readonly url: string;
  readonly body: unknown;
}

const begun = performance.now();
const pool = new Pool(values.upstream, { connections: concurrency, pipelining: 1 });
const output = createWriteStream(values.output);
const lines = createInterface({ input: createReadStream(values.input) })[Symbol.asyncIterator]();
let count = 0;

async function sendLines(): Promise<void> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const item = JSON.parse(next.value) as BatchRequest;
    const reply = await pool.request({
      method: "POST",
      path: item.url,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(item.body),
    });
    const body = await reply.body.json();
    count += 1;
    const result = {
      id: `batch_req_${String(count)}`,
      custom_id: item.custom_id,
      response: { status_code: reply.statusCode, body },
      error: null,
    };
    if (!output.write(`${JSON.stringify(result)}\n`)) await once(output, "drain");
  }
}

output.setMaxListeners(0);
await Promise.all(Array.from({ length: concurrency }, sendLines));
output.end();
await once(output, "finish");
const seconds = (performance.now() - begun) / 1_000;
await pool.close();
process.send?.({ type: "done", seconds, lines: count });
process.disconnect();
