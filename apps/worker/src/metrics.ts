/** What a worker shows at /metrics of its own work, besides the process' own figures. */
import { Counter, Gauge, type Registry } from "@nightshift/service";

export interface WorkerMetrics {
  /** A line was recorded. `result`: completed, failed (an answer) or exhausted (out of attempts). */
  lineRecorded(upstream: string, result: "completed" | "failed" | "exhausted"): void;
  /** A line went back to the ledger: for another attempt, or without having burned one. */
  lineReturned(upstream: string, why: "next_attempt" | "throttled"): void;
  /** A webhook was sent. `outcome`: acknowledged (any 2xx), retried (it will be sent again) or given_up. */
  webhookSent(outcome: WebhookOutcome): void;
}

export type WebhookOutcome = "acknowledged" | "retried" | "given_up";

export interface WorkerGauges {
  /** By upstream. */
  readonly linesInFlight: () => ReadonlyMap<string, number>;
  readonly unrecordedBytes: () => number;
}

/** Registers them all; docs/metrics.md has each with its labels. The gauges are asked at each GET /metrics. */
export function createWorkerMetrics(registry: Registry, gauges: WorkerGauges): WorkerMetrics {
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
  new Gauge({
    name: "nightshift_lines_in_flight",
    help: "Lines that wait for their upstream's reply.",
    labelNames: ["upstream"],
    registers: [registry],
    collect() {
      for (const [upstream, lines] of gauges.linesInFlight()) this.set({ upstream }, lines);
    },
  });
  new Gauge({
    name: "nightshift_unrecorded_bytes",
    help: "Bytes of replies that are in memory and not recorded yet.",
    registers: [registry],
    collect() {
      this.set(gauges.unrecordedBytes());
    },
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
