/** Passes the metrics of worker processes to the primary, which shows them at one address. */
import { Router } from "express";
import { mergeMetrics, type MetricsOfProcess, type Registry } from "@nightshift/service";

const PATH = "/metrics.json";
const TIMEOUT_MS = 5_000;

/** Serves GET /metrics.json, which has the content of GET /metrics in a form that can be merged. */
export function processMetricsRoute(registry: Registry): Router {
  return Router().get(PATH, async (_request, response) => {
    response.json(await registry.getMetricsAsJSON());
  });
}

/** Fetches the metrics of all processes and merges them into Prometheus text. Skips a process that is down. */
export async function mergedMetrics(urls: ReadonlyMap<string, string | undefined>): Promise<string> {
  const answers = await Promise.all([...urls].map(async ([name, url]) => [name, await askMetrics(url)] as const));
  const merged = mergeMetrics(new Map(answers.filter((answer): answer is Answer => answer[1] !== null)));
  return merged.metrics();
}

type Answer = readonly [name: string, metrics: MetricsOfProcess];

async function askMetrics(url: string | undefined): Promise<MetricsOfProcess | null> {
  if (url === undefined) return null;
  try {
    const reply = await fetch(`${url}${PATH}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return reply.ok ? ((await reply.json()) as MetricsOfProcess) : null;
  } catch {
    // The process has just ended, or is too busy. /readyz reports that.
    return null;
  }
}
