/** `nightshift`: the command line. Reads the arguments and runs one command as a process that stops in order. */
import { readFileSync } from "node:fs";
import { createLogger, runProcess, type Lifecycle } from "@nightshift/service";
import { Command, CommanderError } from "commander";
import { readCliConfig, type CliConfig } from "./config.ts";
import { createScreen, type Screen } from "./screen/screen.ts";
import { logTo, warnOn } from "./screen/warnings.ts";

/** How the shell is told that the command itself was wrong, as other tools do. */
const USAGE_EXIT_CODE = 2;

type Action = (life: Lifecycle, config: CliConfig, screen: Screen) => Promise<void>;

/** Runs a command that talks to people on `screen`; what it resolves leaves open keeps the process running. */
function runCommand(screen: Screen, action: Action): void {
  runProcess("nightshift", async (life) => {
    life.logWith(createLogger({ name: "nightshift", level: "warn", destination: logTo(warnOn(screen)) }));
    // The terminal was closed.
    process.once("SIGHUP", () => {
      life.stop("SIGHUP");
    });
    await action(life, readCliConfig(), screen);
  });
}

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const program = new Command("nightshift")
  .description("The Batch API you host yourself.")
  .version(version)
  .showHelpAfterError()
  .exitOverride();

program
  .command("up")
  .description("run the whole service on this machine: Postgres, API and worker")
  .action(async () => {
    const { up } = await import("./commands/up.ts");
    runCommand(createScreen(process.stdout), up);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
