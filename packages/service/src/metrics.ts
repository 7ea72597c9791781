/** The metrics of a process, in Prometheus' format. */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from "prom-client";

/** Creates a registry with Node's default metrics, one for each process and each test. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** The metrics of a registry, as one process sends them to another. */
export type MetricsOfProcess = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/**
 * Merges the metrics of several processes. Each metric gets its process' name as the label `process`. Counters are not
 * summed: the sum would drop when a process restarts, and Prometheus would take the drop for a reset and count the sum
 * again.
 */
export function mergeMetrics(processes: ReadonlyMap<string, MetricsOfProcess>): Pick<Registry, "metrics"> {
  const labelled = [...processes].map(([name, metrics]) =>
    metrics.map((metric) => ({
      ...metric,
      // By default some of Node's metrics are left out or averaged. With the label, each sum has one term.
      aggregator: "sum",
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, process: name } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled);
}
