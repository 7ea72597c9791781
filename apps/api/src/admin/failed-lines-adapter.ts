/** Adapts the queue of failed lines for bull-board, where retrying a job retries its line. */
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { JobQueues, LineFailedPayload, Queue } from "@nightshift/queue";
import { RetryRefusedError } from "./retry-line.ts";

type BoardJob = Awaited<ReturnType<BullMQAdapter["getJobs"]>>[number];
type BoardJobStatuses = Parameters<BullMQAdapter["getJobs"]>[0];

/** The number of failed jobs that one read returns. */
const PAGE = 100;

export interface FailedLinesDeps {
  readonly queues: Pick<JobQueues, "findFailedLine" | "removeFailedLine">;
  /** Opens the retry, or rejects with RetryRefusedError. */
  readonly retry: (failed: LineFailedPayload) => Promise<void>;
}

export interface RetryAllOutcome {
  retried: number;
  skipped: number;
  /** The reason for the last skip. */
  refusal: RetryRefusedError | null;
}

/**
 * The retry of BullMQ would only queue the job again, and no worker handles these jobs. This adapter writes the retry
 * to Postgres first, and removes the job afterwards. After a crash in between, another retry of the job is harmless.
 */
export class FailedLinesAdapter extends BullMQAdapter {
  readonly #deps: FailedLinesDeps;

  constructor(queue: Queue, deps: FailedLinesDeps) {
    super(queue, {
      description: "Lines that ran out of attempts. Retry sends them again, even if their batch has finished.",
    });
    this.#deps = deps;
  }

  override async getJob(id: string): Promise<BoardJob | undefined> {
    const job = await super.getJob(id);
    return job === undefined ? undefined : this.#withRetry(job);
  }

  override async getJobs(statuses: BoardJobStatuses, start?: number, end?: number): Promise<BoardJob[]> {
    const jobs = await super.getJobs(statuses, start, end);
    return jobs.map((job) => this.#withRetry(job));
  }

  /** Retries every failed line. Refused lines stay in the queue and do not stop the others. */
  async retryAll(): Promise<RetryAllOutcome> {
    const outcome: RetryAllOutcome = { retried: 0, skipped: 0, refusal: null };
    for (;;) {
      // Retried jobs leave the set, so the refused ones are at its beginning.
      const jobs = await this.getJobs(["failed"], outcome.skipped, outcome.skipped + PAGE - 1);
      if (jobs.length === 0) return outcome;
      for (const job of jobs) {
        try {
          await job.retry();
          outcome.retried += 1;
        } catch (error) {
          if (!(error instanceof RetryRefusedError)) throw error;
          outcome.skipped += 1;
          outcome.refusal = error;
        }
      }
    }
  }

  #withRetry(job: BoardJob): BoardJob {
    job.retry = async () => {
      const { queues, retry } = this.#deps;
      const id = job.id ?? "";
      const failed = await queues.findFailedLine(id);
      if (failed === null) throw new RetryRefusedError("The job no longer exists, or a newer release created it.");
      await retry(failed);
      await queues.removeFailedLine(id);
    };
    return job;
  }
}
