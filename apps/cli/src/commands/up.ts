/** `nightshift up`: the whole service on this machine, until it is told to stop. */
import path from "node:path";
import type { Lifecycle } from "@nightshift/service";
import type { CliConfig } from "../config.ts";
import { adminKeyFileOf, forShell, keyFileOf } from "../machine/keys.ts";
import { longestStopMs, startMachine, type Machine } from "../machine/machine.ts";
import type { Screen } from "../screen/screen.ts";
import { warnOn } from "../screen/warnings.ts";

export interface UpDeps {
  readonly life: Lifecycle;
  readonly config: CliConfig;
  readonly screen: Screen;
}

/** Starts the service and shows how to use it. Resolves once it serves; stopping is the lifecycle's. */
export async function up({ life, config, screen }: UpDeps): Promise<void> {
  screen.line(screen.paint("dim", "Starting Nightshift ..."));
  const started = performance.now();
  const warn = warnOn(screen);
  let isServing = false;
  const machine = await startMachine({
    config,
    port: config.port,
    signal: life.stopping,
    // What the parts warn of while they start (no upstream is configured) stands in what is shown below.
    show: (program, level, message) => {
      if (isServing || level !== "warn") warn(program, level, message);
    },
    onLost: () => {
      life.stop("another Nightshift has taken the data folder", 1);
    },
  });
  isServing = true;
  life.onStop("machine", longestStopMs(config), async () => {
    const seconds = String(config.graceMs / 1000);
    screen.line(`Stopping; what is in flight has ${seconds} s to finish (Ctrl-C again: at once) ...`);
    await machine.stop();
    screen.line("Stopped. What was waiting goes on at the next start.");
  });
  showService(screen, config, machine, (performance.now() - started) / 1000);
  life.listening(machine.url);
}

function showService(screen: Screen, config: CliConfig, machine: Machine, seconds: number): void {
  const { bold, dim } = { bold: paint(screen, "bold"), dim: paint(screen, "dim") };
  const row = (name: string, value: string, note = ""): void => {
    screen.line(`  ${name.padEnd(11)}${value}${note === "" ? "" : `  ${dim(note)}`}`);
  };
  const { dataDir } = config;
  screen.line(`${bold("Nightshift serves.")} ${dim(`(started in ${seconds.toFixed(1)} s; Ctrl-C stops it)`)}`);
  screen.line();
  row("Base URL", bold(`${machine.url}/v1`), "for any OpenAI SDK");
  if (config.bootstrapKey !== null) row("API key", "the one in NIGHTSHIFT_BOOTSTRAP_KEY");
  else if (machine.key === null) row("API key", "one of those that the database already has");
  else row("API key", bold(machine.key.value), `kept in ${forShell(keyFileOf(dataDir))}`);
  const password = config.adminKey === null ? forShell(adminKeyFileOf(dataDir)) : "NIGHTSHIFT_ADMIN_KEY";
  row("Dashboard", `${machine.url}/admin/queues`, `user admin, password in ${password}`);
  if (config.upstream === null) {
    row("Upstream", screen.paint("yellow", "none configured: Nightshift's simulator answers, not a model"));
    row("", dim("UPSTREAM_BASE_URL=https://... names a server of yours"));
  } else row("Upstream", config.upstream);
  row("Data", forShell(dataDir), `logs in ${forShell(path.join(dataDir, "logs"))}`);
  screen.line();
  screen.line("Send it a file of requests:");
  screen.line();
  screen.line(`  curl ${machine.url}/v1/files \\`);
  screen.line(`    -H "Authorization: Bearer ${machine.key?.inShell ?? "YOUR_API_KEY"}" \\`);
  screen.line(`    -F purpose=batch -F file=@examples/requests.jsonl`);
  screen.line();
  screen.line(`or do all steps at once: ${bold("npx nightshift run examples/requests.jsonl")}`);
  screen.line();
}

const paint =
  (screen: Screen, colour: "bold" | "dim") =>
  (text: string): string =>
    screen.paint(colour, text);
