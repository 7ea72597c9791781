/** `nightshift up`: runs the whole service on this machine until it is stopped. */
import path from "node:path";
import type { CliConfig } from "../config.ts";
import { adminKeyFileOf, forShell, keyFileOf } from "../machine/keys.ts";
import { longestStopMs, startLocalService, type LocalService } from "../machine/local-service.ts";
import { type Screen, warnOn } from "../screen.ts";
import type { CommandDeps } from "../server/server.ts";

/** Starts the service and shows how to use it. Resolves when the service is ready; the lifecycle stops it later. */
export async function up({ life, config, screen }: CommandDeps): Promise<void> {
  screen.line(screen.paint("dim", "Starting Nightshift ..."));
  const started = performance.now();
  const warn = warnOn(screen);
  let isServing = false;
  const service = await startLocalService({
    config,
    port: config.port,
    signal: life.stopping,
    // Warnings during the start (no upstream is configured) are left out: the summary below shows the same.
    show: (program, level, message) => {
      if (isServing || level !== "warn") warn(program, level, message);
    },
    onLost: () => {
      life.stop("another Nightshift has taken the data folder", 1);
    },
  });
  isServing = true;
  life.onStop("service", longestStopMs(config), async () => {
    const seconds = String(config.graceMs / 1000);
    screen.line(`Stopping. Requests in flight have ${seconds} s to finish; press Ctrl-C again to stop at once.`);
    await service.stop();
    screen.line("Stopped. Batches continue at the next start.");
  });
  showService(screen, config, service, (performance.now() - started) / 1000);
  life.listening(service.url);
}

function showService(screen: Screen, config: CliConfig, service: LocalService, seconds: number): void {
  const [bold, dim] = [paint(screen, "bold"), paint(screen, "dim")];
  const row = (name: string, value: string, note = ""): void => {
    screen.line(`  ${name.padEnd(11)}${value}${note === "" ? "" : `  ${dim(note)}`}`);
  };
  const { dataDir } = config;
  screen.line(`${bold("Nightshift is running.")} ${dim(`(started in ${seconds.toFixed(1)} s; press Ctrl-C to stop)`)}`);
  screen.line();
  row("Base URL", bold(`${service.url}/v1`), "for any OpenAI SDK");
  if (config.bootstrapKey !== null) row("API key", "the one in NIGHTSHIFT_BOOTSTRAP_KEY");
  else if (service.key === null) row("API key", "an existing key of the database");
  else row("API key", bold(service.key.value), `stored in ${forShell(keyFileOf(dataDir))}`);
  const password = config.adminKey === null ? forShell(adminKeyFileOf(dataDir)) : "NIGHTSHIFT_ADMIN_KEY";
  row("Dashboard", `${service.url}/admin/queues`, `user admin, password in ${password}`);
  if (config.upstream === null) {
    row("Upstream", screen.paint("yellow", "none configured: Nightshift's simulator answers, not a model"));
    row("", dim("set UPSTREAM_BASE_URL=https://... to use a real server"));
  } else row("Upstream", config.upstream);
  row("Data", forShell(dataDir), `logs in ${forShell(path.join(dataDir, "logs"))}`);
  screen.line();
  screen.line("Send it a file of requests:");
  screen.line();
  screen.line(`  curl ${service.url}/v1/files \\`);
  screen.line(`    -H "Authorization: Bearer ${service.key?.inShell ?? "YOUR_API_KEY"}" \\`);
  screen.line(`    -F purpose=batch -F file=@examples/requests.jsonl`);
  screen.line();
  screen.line(`or do all steps at once: ${bold("npx nightshift run examples/requests.jsonl")}`);
  screen.line();
}

const paint =
  (screen: Screen, colour: "bold" | "dim") =>
  (text: string): string =>
    screen.paint(colour, text);
