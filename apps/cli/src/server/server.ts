/**
 * Chooses the server for a command: the server that the user names, the local server for the data folder, or a new
 * server that the command starts.
 */
import { setTimeout as delay } from "node:timers/promises";
import { StartupError, type Lifecycle } from "@nightshift/service";
import type { CliConfig } from "../config.ts";
import { findApiKey, type ApiKey } from "../machine/keys.ts";
import { longestStopMs, startLocalService } from "../machine/local-service.ts";
import { readAliveSupervisor } from "../machine/running-file.ts";
import type { Screen } from "../screen.ts";

const POLL_MS = 100;

export interface TargetServer {
  /** The base URL for an SDK: with a path such as `/v1`, without a slash at the end. */
  readonly baseUrl: string;
  readonly key: ApiKey;
  /** True if the server was started for this command and stops with it. */
  readonly isOwn: boolean;
}

/** The command line options that choose a server. */
export interface ServerChoice {
  readonly server?: string;
  readonly key?: string;
}

/** The dependencies that every command receives. */
export interface CommandDeps {
  readonly life: Lifecycle;
  readonly config: CliConfig;
  readonly screen: Screen;
}

/**
 * Returns the server in --server or OPENAI_BASE_URL, or the local server if neither is set. Rejects with StartupError.
 */
export async function chosenServer(choice: ServerChoice, deps: CommandDeps): Promise<TargetServer> {
  const { config } = deps;
  const named = choice.server ?? config.openaiBaseUrl;
  if (named === null) return localServer(choice, deps);
  const baseUrl = completeBaseUrl(named);
  const key = choice.key ?? (await keyOfRunning(baseUrl, config)) ?? config.openaiApiKey;
  if (key === null) {
    throw new StartupError(`${baseUrl} needs an API key. Pass it with --key, or set OPENAI_API_KEY.`);
  }
  return { baseUrl, key: { value: key, inShell: "$OPENAI_API_KEY" }, isOwn: false };
}

/**
 * Returns the running service of the data folder. If no service is running, starts one on this machine that stops with
 * the command.
 */
export async function localServer(choice: ServerChoice, deps: CommandDeps): Promise<TargetServer> {
  const { config } = deps;
  const running = await runningUrl(config, deps.life.stopping);
  const url = running ?? (await startForCommand(deps));
  const found = choice.key === undefined ? await findApiKey(config) : { value: choice.key, inShell: "YOUR_API_KEY" };
  if (found === null) {
    throw new StartupError(`${url} needs an API key, and ${config.dataDir} does not contain it. Pass it with --key.`);
  }
  return { baseUrl: `${url}/v1`, key: found, isOwn: running === null };
}

/** Makes the base URL for an SDK from a URL with or without a path. */
export function completeBaseUrl(text: string): string {
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${path === "" ? "/v1" : path}`;
}

async function keyOfRunning(baseUrl: string, config: CliConfig): Promise<string | null> {
  const running = await readAliveSupervisor(config.dataDir);
  if (running?.url !== new URL(baseUrl).origin) return null;
  return (await findApiKey(config))?.value ?? null;
}

/**
 * Returns the URL of the running service of the data folder, or null if no service is running. Waits for a service that
 * is starting.
 */
export async function runningUrl(config: CliConfig, signal: AbortSignal): Promise<string | null> {
  for (;;) {
    const running = await readAliveSupervisor(config.dataDir);
    if (running === null || running.url !== null) return running?.url ?? null;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function startForCommand({ life, config, screen }: CommandDeps): Promise<string> {
  screen.line(screen.paint("dim", "Starting Nightshift on this machine ..."));
  const started = performance.now();
  const service = await startLocalService({
    config,
    port: 0,
    signal: life.stopping,
    // Only errors are shown, so that they stand out from the command's own output. The logs have everything.
    show: (program, level, message) => {
      if (level !== "warn") screen.line(screen.paint("red", `${program}: ${message}`));
    },
    onLost: () => {
      life.stop("another Nightshift has taken the data folder", 1);
    },
  });
  life.onStop("service", longestStopMs(config), () => service.stop());
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  screen.line(screen.paint("dim", `Ready at ${service.url} after ${seconds} s; it stops with this command.`));
  if (config.upstream === null) {
    screen.line(screen.paint("yellow", "No upstream configured: Nightshift's simulator answers, not a model."));
  }
  return service.url;
}
