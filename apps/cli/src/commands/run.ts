/** `nightshift run` and `nightshift wait`: turn a file of requests into a file of results. */
import { createReadStream, statSync } from "node:fs";
import type OpenAI from "openai";
import { followBatch } from "../batch/follow-batch.ts";
import { deliver, isFullyCompleted, type Targets, showOutcome } from "../batch/outcome.ts";
import { createProgress } from "../batch/progress.ts";
import { endpointOf } from "../batch/requests-file.ts";
import { errorsFileFor } from "../batch/save-file.ts";
import { forShell } from "../machine/keys.ts";
import { explainErrors, openClient } from "../server/client.ts";
import { chosenServer, type TargetServer, type ServerChoice, type CommandDeps } from "../server/server.ts";

export interface WaitOptions extends ServerChoice {
  readonly output?: string;
  readonly errors?: string;
}

export interface RunOptions extends WaitOptions {
  readonly endpoint?: string;
}

/** Uploads the file, creates a batch from it, and then waits for the batch. */
export async function run(file: string, options: RunOptions, deps: CommandDeps): Promise<void> {
  const { screen, life } = deps;
  const ownEndpoint = await endpointOf(file);
  const endpoint = options.endpoint ?? ownEndpoint;
  const server = await chosenServer(options, deps);
  if (!server.isOwn) screen.line(screen.paint("dim", `Server ${server.baseUrl}`));
  screen.line(`Uploading ${file} (${formatSize(file)}) ...`);
  const batch = await explainErrors(server, () => submit(openClient(server), file, endpoint, life.stopping));
  screen.line(`Batch ${screen.paint("bold", batch.id)} for ${endpoint}`);
  await finish(batch.id, options, server, deps);
}

/**
 * Waits for an existing batch, writes its results, and ends the process with exit code 0 only if every line completed.
 */
export async function wait(batchId: string, options: WaitOptions, deps: CommandDeps): Promise<void> {
  const server = await chosenServer(options, deps);
  await finish(batchId, options, server, deps);
}

async function submit(client: OpenAI, file: string, endpoint: string, signal: AbortSignal): Promise<OpenAI.Batch> {
  const input = await client.files.create({ file: createReadStream(file), purpose: "batch" }, { signal });
  const body = { input_file_id: input.id, endpoint, completion_window: "24h" };
  // The server checks the endpoint, and its error message lists the endpoints that it supports.
  return client.batches.create(body as OpenAI.BatchCreateParams, { signal });
}

async function finish(
  batchId: string,
  options: WaitOptions,
  server: TargetServer,
  { life, screen }: CommandDeps,
): Promise<void> {
  const client = openClient(server);
  const progress = createProgress(screen);
  const targets = targetsOf(options);
  let isDelivered = false;
  life.onStop("closing message", 1_000, () => {
    progress.end();
    if (isDelivered) return;
    const rest = [
      options.output === undefined ? "" : ` -o ${forShell(options.output)}`,
      options.errors === undefined ? "" : ` --errors ${forShell(options.errors)}`,
    ];
    screen.line(
      server.isOwn ? "The batch continues when Nightshift starts again." : "The batch continues on the server.",
    );
    screen.line(`To get its results, run: npx nightshift wait ${batchId}${rest.join("")}`);
  });
  await explainErrors(server, async () => {
    const batch = await followBatch(client, batchId, {
      signal: life.stopping,
      onChange: progress.show,
      onUnavailable: (reason) => {
        progress.end();
        screen.line(
          reason === null ? "  The server is available again." : `  The server is unavailable (${reason}); waiting ...`,
        );
      },
    });
    progress.end();
    showOutcome(batch, screen);
    await deliver(client, batch, targets, screen);
    isDelivered = true;
    life.stop("the batch has ended", isFullyCompleted(batch) ? 0 : 1);
  });
}

function targetsOf({ output, errors }: WaitOptions): Targets {
  return { output: output ?? null, errors: errors ?? (output === undefined ? null : errorsFileFor(output)) };
}

function formatSize(file: string): string {
  const bytes = statSync(file).size;
  return bytes < 100_000 ? `${String(bytes)} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
