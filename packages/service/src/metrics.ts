/** The numbers of a process, in Prometheus' form. */
import { collectDefaultMetrics, Registry } from "prom-client";

/** A registry of its own for each process (and each test), with Node's default metrics in it. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
