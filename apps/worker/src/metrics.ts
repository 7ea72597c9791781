/** The metrics of a worker's work at GET /metrics, in addition to the metrics of the process. */
import { Counter, Gauge, type Registry } from "@nightshift/service";

export interface WorkerMetrics {
  /**
   * Counts a recorded line. `result` is completed, failed (the upstream's answer is an error) or exhausted (the line
   * has no attempt left).
   */
  lineRecorded(upstream: string, result: "completed" | "failed" | "exhausted"): void;
  /** Counts a line that went back to the ledger, for the next attempt or without using up an attempt. */
  lineReturned(upstream: string, why: "next_attempt" | "throttled"): void;
  /**
   * Counts an attempt to send a webhook. `outcome` is acknowledged (any 2xx), retried (it will be sent again) or
   * given_up.
   */
  webhookSent(outcome: WebhookOutcome): void;
}

export type WebhookOutcome = "acknowledged" | "retried" | "given_up";

/** Registers the counters. docs/metrics.md lists them with their labels. */
export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const recorded = new Counter({
    name: "nightshift_lines_recorded_total",
    help: "Lines with a durable result, by upstream and result.",
    labelNames: ["upstream", "result"],
    registers: [registry],
  });
  const returned = new Counter({
    name: "nightshift_lines_returned_total",
    help: "Lines that went back to the ledger for later, by upstream and reason.",
    labelNames: ["upstream", "why"],
    registers: [registry],
  });
  const webhooks = new Counter({
    name: "nightshift_webhook_attempts_total",
    help: "Attempts to deliver webhooks, by outcome.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return {
    lineRecorded: (upstream, result) => {
      recorded.inc({ upstream, result });
    },
    lineReturned: (upstream, why) => {
      returned.inc({ upstream, why });
    },
    webhookSent: (outcome) => {
      webhooks.inc({ outcome });
    },
  };
}

/** The objects that the gauges read. */
export interface Gauged {
  readonly lanes: readonly { readonly name: string; inFlight(): number }[];
  readonly budget: { held(): number };
}

/** Registers the gauges, which are read at each GET /metrics. */
export function registerWorkerGauges(registry: Registry, { lanes, budget }: Gauged): void {
  new Gauge({
    name: "nightshift_lines_in_flight",
    help: "Lines that wait for their upstream's reply.",
    labelNames: ["upstream"],
    registers: [registry],
    collect() {
      for (const lane of lanes) this.set({ upstream: lane.name }, lane.inFlight());
    },
  });
  new Gauge({
    name: "nightshift_unrecorded_bytes",
    help: "Bytes of replies that are in memory and not recorded yet.",
    registers: [registry],
    collect() {
      this.set(budget.held());
    },
  });
}
