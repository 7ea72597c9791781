/**
 * `nightshift quickstart`: runs the five steps of the guide on its three requests, and shows the command of each step.
 */
import { createReadStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { followBatch } from "../batch/follow-batch.ts";
import { createProgress } from "../batch/progress.ts";
import { deliver, isFullyCompleted, showOutcome } from "../batch/outcome.ts";
import { forShell } from "../machine/keys.ts";
import type { Screen } from "../screen.ts";
import { explainErrors, openClient } from "../server/client.ts";
import { localServer, type TargetServer, type CommandDeps } from "../server/server.ts";

const REQUESTS = fileURLToPath(new URL("../../../../examples/requests.jsonl", import.meta.url));

/** Uses the running service of the data folder, or starts one for the guide, and ends the process with an exit code. */
export async function quickstart(deps: CommandDeps): Promise<void> {
  const { screen, life } = deps;
  screen.line(screen.paint("bold", "Nightshift's quick start: a batch in five steps"));
  const server = await localServer({}, deps);
  const exitCode = await explainErrors(server, () => runSteps(server, deps));
  life.stop("the guide has ended", exitCode);
}

async function runSteps(server: TargetServer, { screen, life }: CommandDeps): Promise<number> {
  const client = openClient(server);
  const signal = life.stopping;
  const shown = forShell(REQUESTS);
  const curl = createCurl(server);

  step(screen, 1, "Prepare your requests", `$ cat ${shown}`);
  for (const line of readFileSync(REQUESTS, "utf8").trimEnd().split("\n")) screen.line(`   ${line}`);

  step(screen, 2, "Upload your file", curl("/files", `-F "file=@${shown}" \\`, `-F "purpose=batch"`));
  const file = await client.files.create({ file: createReadStream(REQUESTS), purpose: "batch" }, { signal });
  screen.line(`   ${screen.paint("bold", file.id)}, ${String(file.bytes)} bytes`);

  const body = { input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" } as const;
  const json = `-H "Content-Type: application/json" \\`;
  step(screen, 3, "Create a batch", curl("/batches", json, `-d '${JSON.stringify(body)}'`));
  const created = await client.batches.create(body, { signal });
  screen.line(`   ${screen.paint("bold", created.id)}, ${created.status}`);

  step(screen, 4, "Check the batch's status", curl(`/batches/${created.id}`));
  const progress = createProgress(screen);
  const batch = await followBatch(client, created.id, {
    signal,
    onChange: progress.show,
    onUnavailable: () => undefined,
  });
  progress.end();
  showOutcome(batch, screen);

  step(screen, 5, "Download the results", curl(`/files/${batch.output_file_id ?? "..."}/content`, "-o results.jsonl"));
  screen.line();
  showNext(screen, server);
  screen.line();
  await deliver(client, batch, { output: null, errors: null }, screen);
  return isFullyCompleted(batch) ? 0 : 1;
}

function step(screen: Screen, number: number, title: string, command: string): void {
  screen.line();
  screen.line(screen.paint("bold", `${String(number)}  ${title}`));
  for (const line of command.split("\n")) screen.line(`   ${screen.paint("dim", line)}`);
}

/** Makes the curl command of a step. */
function createCurl(server: TargetServer): (path: string, ...rest: readonly string[]) => string {
  const authorization = `-H "Authorization: Bearer ${server.key.inShell}"`;
  return (path, ...rest) => {
    const tail = rest.map((line) => `\n  ${line}`).join("");
    return `$ curl ${server.baseUrl}${path} \\\n  ${authorization}${tail === "" ? "" : ` \\${tail}`}`;
  };
}

function showNext(screen: Screen, server: TargetServer): void {
  const bold = (text: string): string => screen.paint("bold", text);
  screen.line("What next:");
  if (server.isOwn) screen.line(`   ${bold("npm start")} keeps the service running; this one stops now.`);
  screen.line(`   ${bold("npx nightshift run FILE -o results.jsonl")} runs all five steps on a file of your own.`);
}
