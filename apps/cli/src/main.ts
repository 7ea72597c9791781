/** `nightshift`: the command line. Parses the arguments and runs one command in a process that shuts down cleanly. */
import { readFileSync } from "node:fs";
import { createLogger, runProcess, type Lifecycle } from "@nightshift/service";
import { Command, CommanderError } from "commander";
import { existingFile, httpUrl, writableFile } from "./arguments.ts";
import { addAdminCommands } from "./commands/admin/admin-commands.ts";
import type { RunOptions, WaitOptions } from "./commands/run.ts";
import { readCliConfig } from "./config.ts";
import type { CommandDeps } from "./server/server.ts";
import { createScreen, logTo, warnOn } from "./screen.ts";

/** The exit code for wrong usage, as in other command line tools. */
const USAGE_EXIT_CODE = 2;

/**
 * Runs a command that writes its messages to `stream`. The process ends when the command stops it or leaves nothing
 * open.
 */
function runCommand(stream: NodeJS.WriteStream, action: (deps: CommandDeps) => Promise<void>): void {
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
      // An error during a requested stop is not a failure.
      if (!life.stopping.aborted) throw error;
    }
  });
}

/** Used for commands that end when their work is done. An interrupted command has failed, and its exit code says so. */
function failWhenInterrupted(life: Lifecycle): void {
  // Only the first call of `stop` counts, so these listeners must run before those of runProcess.
  process.prependListener("SIGINT", () => {
    life.stop("SIGINT", 130);
  });
  process.prependListener("SIGTERM", () => {
    life.stop("SIGTERM", 143);
  });
}

/** Adds the options for the paths of the results, and for the server. */
function addBatchOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "file for the results (default: standard output)", writableFile)
    .option(
      "--errors <file>",
      "file for the failed lines (default: with -o results.jsonl, it is results.errors.jsonl)",
      writableFile,
    )
    .option("--server <url>", "server to use (default: OPENAI_BASE_URL, or this machine)", httpUrl)
    .option("--key <key>", "API key of the server (default: this machine's own, or OPENAI_API_KEY)");
}

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const program = new Command("nightshift")
  .description("The Batch API you host yourself.")
  .version(version)
  .showHelpAfterError("Run nightshift --help or nightshift COMMAND --help to see all options.")
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
    .description("send a file of requests, wait, and write the results; starts the service if it is not running")
    .argument("<file>", "the requests, one JSON object per line", existingFile)
    .option("--endpoint <path>", "endpoint of the batch (default: the url of the first line)"),
).action(async (file: string, options: RunOptions) => {
  const { run } = await import("./commands/run.ts");
  runCommand(process.stderr, (deps) => {
    failWhenInterrupted(deps.life);
    return run(file, options, deps);
  });
});

addBatchOptions(
  program
    .command("wait")
    .description("wait for an existing batch, and write its results")
    .argument("<batch>", "id of the batch, batch_..."),
).action(async (batchId: string, options: WaitOptions) => {
  const { wait } = await import("./commands/run.ts");
  runCommand(process.stderr, (deps) => {
    failWhenInterrupted(deps.life);
    return wait(batchId, options, deps);
  });
});

program
  .command("quickstart")
  .description("run the five steps of the quick start guide with its three requests")
  .action(async () => {
    const { quickstart } = await import("./commands/quickstart.ts");
    runCommand(process.stderr, (deps) => {
      failWhenInterrupted(deps.life);
      return quickstart(deps);
    });
  });

addAdminCommands(
  program.command("admin").description("manage keys, tenants and webhooks with the admin key"),
  (action) => {
    runCommand(process.stderr, (deps) => {
      failWhenInterrupted(deps.life);
      return action(deps);
    });
  },
);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
