/** The numbers of a worker process for the primary that shows those of all, and the primary's collecting of them. */
import { Router } from "express";
import { mergeMetrics, type MetricsOfProcess, type Registry } from "@nightshift/service";

const PATH = "/metrics.json";
const TIMEOUT_MS = 5_000;

/** GET /metrics.json: what GET /metrics shows, in a form that can be merged. */
export function processMetricsRoute(registry: Registry): Router {
  return Router().get(PATH, async (_request, response) => {
    response.json(await registry.getMetricsAsJSON());
  });
}

/** Prometheus' text of all processes that answer, given where they serve. Those that are down have no numbers. */
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
    // It ended this moment, or is too busy: /readyz says so.
    return null;
  }
}
