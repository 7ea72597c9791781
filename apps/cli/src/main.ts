/** `nightshift`: the command line. Reads the arguments and runs one command as a process that stops in order. */
import { readFileSync } from "node:fs";
import { createLogger, runProcess, type Lifecycle } from "@nightshift/service";
import { Command, CommanderError } from "commander";
import { existingFile, httpUrl, writableFile } from "./arguments.ts";
import { addAdminCommands } from "./commands/admin/admin-commands.ts";
import type { RunOptions, WaitOptions } from "./commands/run.ts";
import { readCliConfig, type CliConfig } from "./config.ts";
import { createScreen, type Screen } from "./screen/screen.ts";
import { logTo, warnOn } from "./screen/warnings.ts";

/** How the shell is told that the command itself was wrong, as other tools do. */
const USAGE_EXIT_CODE = 2;

/** What a command gets. */
interface Session {
  readonly life: Lifecycle;
  readonly config: CliConfig;
  readonly screen: Screen;
}

/** Runs a command that talks to people on `stream`; what it leaves open keeps the process running. */
function runCommand(stream: NodeJS.WriteStream, action: (session: Session) => Promise<void>): void {
  runProcess("nightshift", async (life) => {
    const screen = createScreen(stream);
    life.logWith(createLogger({ name: "nightshift", level: "warn", destination: logTo(warnOn(screen)) }));
    // The terminal was closed.
    process.once("SIGHUP", () => {
      life.stop("SIGHUP", 129);
    });
    try {
      await action({ life, config: readCliConfig(), screen });
    } catch (error) {
      // What fails because we were told to stop is no failure.
      if (!life.stopping.aborted) throw error;
    }
  });
}

/** For commands that have an end of their own: an interrupted one has not done what it was asked for. */
function failWhenInterrupted(life: Lifecycle): void {
  // The first call of stop counts, and runProcess registered its own listeners before.
  process.prependListener("SIGINT", () => {
    life.stop("SIGINT", 130);
  });
  process.prependListener("SIGTERM", () => {
    life.stop("SIGTERM", 143);
  });
}

/** Where the results of a batch go, and which server has it. */
function addBatchOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "where to write the results (default: standard output)", writableFile)
    .option(
      "--errors <file>",
      "where to write the lines that failed (default: with -o beside the results, as results.errors.jsonl)",
      writableFile,
    )
    .option("--server <url>", "server to use (default: OPENAI_BASE_URL, else this machine)", httpUrl)
    .option("--key <key>", "API key for it (default: this machine's own, else OPENAI_API_KEY)");
}

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const program = new Command("nightshift")
  .description("The Batch API you host yourself.")
  .version(version)
  .showHelpAfterError("nightshift --help and nightshift COMMAND --help tell more.")
  .exitOverride();

program
  .command("up")
  .description("run the whole service on this machine: Postgres, API and worker")
  .action(async () => {
    const { up } = await import("./commands/up.ts");
    runCommand(process.stdout, up);
  });

addBatchOptions(
  program
    .command("run")
    .description("send a file of requests, wait, and write the results; starts the service if none is running")
    .argument("<file>", "the requests, one JSON object a line", existingFile)
    .option("--endpoint <path>", "endpoint of the batch (default: the url of the first line)"),
).action(async (file: string, options: RunOptions) => {
  const { run } = await import("./commands/run.ts");
  runCommand(process.stderr, (session) => {
    failWhenInterrupted(session.life);
    return run(file, options, session);
  });
});

addBatchOptions(
  program
    .command("wait")
    .description("wait for a batch that was made before, and write its results")
    .argument("<batch>", "its id, batch_..."),
).action(async (batchId: string, options: WaitOptions) => {
  const { wait } = await import("./commands/run.ts");
  runCommand(process.stderr, (session) => {
    failWhenInterrupted(session.life);
    return wait(batchId, options, session);
  });
});

program
  .command("quickstart")
  .description("take the five steps of the quick start guide, on its three requests")
  .action(async () => {
    const { quickstart } = await import("./commands/quickstart.ts");
    runCommand(process.stderr, (session) => {
      failWhenInterrupted(session.life);
      return quickstart(session);
    });
  });

addAdminCommands(program.command("admin").description("keys, tenants and webhooks, with the admin key"), (action) => {
  runCommand(process.stderr, (session) => {
    failWhenInterrupted(session.life);
    return action(session);
  });
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
