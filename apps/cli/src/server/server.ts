/** The server that a command talks to: the one it was told, the one that serves the data folder, or one of its own. */
import { setTimeout as delay } from "node:timers/promises";
import { StartupError, type Lifecycle } from "@nightshift/service";
import type { CliConfig } from "../config.ts";
import { findApiKey, type ApiKey } from "../machine/keys.ts";
import { longestStopMs, startMachine } from "../machine/machine.ts";
import { readAliveSupervisor } from "../machine/running-file.ts";
import type { Screen } from "../screen/screen.ts";

const POLL_MS = 100;

export interface Server {
  /** As SDKs want it: with `/v1` or the like, without a slash at the end. */
  readonly baseUrl: string;
  readonly key: ApiKey;
  /** True when it was started for this command and ends with it. */
  readonly isOwn: boolean;
}

/** What the command line says about the server. */
export interface ServerChoice {
  readonly server?: string;
  readonly key?: string;
}

export interface ServerDeps {
  readonly life: Lifecycle;
  readonly config: CliConfig;
  readonly screen: Screen;
}

/** The server named by --server or OPENAI_BASE_URL; else as `localServer`. Rejects with StartupError. */
export async function chosenServer(choice: ServerChoice, deps: ServerDeps): Promise<Server> {
  const { config } = deps;
  const named = choice.server ?? config.openaiBaseUrl;
  if (named === null) return localServer(choice, deps);
  const baseUrl = completeBaseUrl(named);
  const key = choice.key ?? (await keyOfRunning(baseUrl, config)) ?? config.openaiApiKey;
  if (key === null) {
    throw new StartupError(`${baseUrl} wants an API key: give it by --key, or set OPENAI_API_KEY.`);
  }
  return { baseUrl, key: { value: key, inShell: "$OPENAI_API_KEY" }, isOwn: false };
}

/** The server that runs on the data folder; without one, this machine's own is started and stopped with the command. */
export async function localServer(choice: ServerChoice, deps: ServerDeps): Promise<Server> {
  const { config } = deps;
  const running = await runningUrl(config, deps.life.stopping);
  const url = running ?? (await startOwn(deps));
  const found = choice.key === undefined ? await findApiKey(config) : { value: choice.key, inShell: "YOUR_API_KEY" };
  if (found === null) {
    throw new StartupError(`${url} wants an API key that is not in ${config.dataDir}: give it by --key.`);
  }
  return { baseUrl: `${url}/v1`, key: found, isOwn: running === null };
}

/** What SDKs call base URL, from it or from a mere address. */
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

/** The address of the service on the data folder, null where none runs. Waits for one that is just being started. */
export async function runningUrl(config: CliConfig, signal: AbortSignal): Promise<string | null> {
  for (;;) {
    const running = await readAliveSupervisor(config.dataDir);
    if (running === null || running.url !== null) return running?.url ?? null;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function startOwn({ life, config, screen }: ServerDeps): Promise<string> {
  screen.line(screen.paint("dim", "Starting Nightshift on this machine ..."));
  const started = performance.now();
  const machine = await startMachine({
    config,
    port: 0,
    signal: life.stopping,
    // The command has its own things to show; all of it is in the data folder's logs.
    show: (program, level, message) => {
      if (level !== "warn") screen.line(screen.paint("red", `${program}: ${message}`));
    },
    onLost: () => {
      life.stop("another Nightshift has taken the data folder", 1);
    },
  });
  life.onStop("machine", longestStopMs(config), () => machine.stop());
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  screen.line(screen.paint("dim", `Ready at ${machine.url} after ${seconds} s; it stops with this command.`));
  if (config.upstream === null) {
    screen.line(screen.paint("yellow", "No upstream configured: Nightshift's simulator answers, not a model."));
  }
  return machine.url;
}
