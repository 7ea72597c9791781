/** `nightshift run` and `nightshift wait`: a file of requests becomes a file of results, with one command. */
import { createReadStream, statSync } from "node:fs";
import type OpenAI from "openai";
import { followBatch } from "../batch/follow-batch.ts";
import { deliver, isWhole, type Targets, tellOutcome } from "../batch/outcome.ts";
import { createProgress } from "../batch/progress.ts";
import { endpointOf } from "../batch/requests-file.ts";
import { errorsFileBeside } from "../batch/save-file.ts";
import { forShell } from "../machine/keys.ts";
import { explained, openClient } from "../server/client.ts";
import { chosenServer, type Server, type ServerChoice, type ServerDeps } from "../server/server.ts";

export interface WaitOptions extends ServerChoice {
  readonly output?: string;
  readonly errors?: string;
}

export interface RunOptions extends WaitOptions {
  readonly endpoint?: string;
}

/** Uploads the file, makes a batch of it, and waits for it as `wait` does. */
export async function run(file: string, options: RunOptions, deps: ServerDeps): Promise<void> {
  const { screen, life } = deps;
  const ownEndpoint = await endpointOf(file);
  const endpoint = options.endpoint ?? ownEndpoint;
  const server = await chosenServer(options, deps);
  if (!server.isOwn) screen.line(screen.paint("dim", `Server ${server.baseUrl}`));
  screen.line(`Uploading ${file} (${size(file)}) ...`);
  const batch = await explained(server, () => submit(openClient(server), file, endpoint, life.stopping));
  screen.line(`Batch ${screen.paint("bold", batch.id)} for ${endpoint}`);
  await finish(batch.id, options, server, deps);
}

/** Waits for a batch that somebody made before, writes its results, and ends the process with the exit code it deserves. */
export async function wait(batchId: string, options: WaitOptions, deps: ServerDeps): Promise<void> {
  const server = await chosenServer(options, deps);
  await finish(batchId, options, server, deps);
}

async function submit(client: OpenAI, file: string, endpoint: string, signal: AbortSignal): Promise<OpenAI.Batch> {
  const input = await client.files.create({ file: createReadStream(file), purpose: "batch" }, { signal });
  const body = { input_file_id: input.id, endpoint, completion_window: "24h" };
  // The server knows which endpoints there are, and says so better than a type can.
  return client.batches.create(body as OpenAI.BatchCreateParams, { signal });
}

async function finish(
  batchId: string,
  options: WaitOptions,
  server: Server,
  { life, screen }: ServerDeps,
): Promise<void> {
  const client = openClient(server);
  const progress = createProgress(screen);
  const targets = targetsOf(options);
  let isDelivered = false;
  life.onStop("farewell", 1_000, () => {
    progress.end();
    if (isDelivered) return;
    const rest = [
      options.output === undefined ? "" : ` -o ${forShell(options.output)}`,
      options.errors === undefined ? "" : ` --errors ${forShell(options.errors)}`,
    ];
    screen.line(server.isOwn ? "The batch goes on at the next start of Nightshift." : "The batch goes on without us.");
    screen.line(`Come back to it with: npx nightshift wait ${batchId}${rest.join("")}`);
  });
  await explained(server, async () => {
    const batch = await followBatch(client, batchId, {
      signal: life.stopping,
      onChange: progress.show,
      onAway: (reason) => {
        progress.end();
        screen.line(
          reason === null ? "  The server is back." : `  The server does not answer (${reason}); waiting ...`,
        );
      },
    });
    progress.end();
    tellOutcome(batch, screen);
    await deliver(client, batch, targets, screen);
    isDelivered = true;
    life.stop("the batch is final", isWhole(batch) ? 0 : 1);
  });
}

function targetsOf({ output, errors }: WaitOptions): Targets {
  return { output: output ?? null, errors: errors ?? (output === undefined ? null : errorsFileBeside(output)) };
}

function size(file: string): string {
  const bytes = statSync(file).size;
  return bytes < 100_000 ? `${String(bytes)} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
