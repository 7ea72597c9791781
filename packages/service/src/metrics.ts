/** The numbers of a process, in Prometheus' form. */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from "prom-client";

/** A registry of its own for each process (and each test), with Node's default metrics in it. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** The numbers of a registry as they travel from one process to another. */
export type MetricsOfProcess = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/**
 * One registry of the numbers of several processes, by name, which becomes the label `process` of each number. They are
 * not added up: a sum of counters falls when one process starts anew, and what has grown since is then counted twice.
 */
export function mergeMetrics(processes: ReadonlyMap<string, MetricsOfProcess>): Pick<Registry, "metrics"> {
  const labelled = [...processes].map(([name, metrics]) =>
    metrics.map((metric) => ({
      ...metric,
      // Some of Node's metrics would be left out or averaged; with the label, there is one of each to "sum".
      aggregator: "sum",
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, process: name } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled);
}
