/** The queue of failed lines as bull-board sees it: there, to retry a job means to send its line again. */
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { JobQueues, LineFailedPayload, Queue } from "@nightshift/queue";
import { RetryRefusedError } from "./retry-line.ts";

type BoardJob = Awaited<ReturnType<BullMQAdapter["getJobs"]>>[number];
type BoardJobStatuses = Parameters<BullMQAdapter["getJobs"]>[0];

/** How many failed jobs are read at a time. */
const PAGE = 100;

export interface FailedLinesDeps {
  readonly queues: Pick<JobQueues, "findFailedLine" | "removeFailedLine">;
  /** Opens the retry, or rejects with RetryRefusedError. */
  readonly retry: (failed: LineFailedPayload) => Promise<void>;
}

export interface RetryAllOutcome {
  retried: number;
  skipped: number;
  /** Why the last one skipped was. */
  refusal: RetryRefusedError | null;
}

/**
 * BullMQ's own retry would only make a job wait again that no worker can do anything with. Here the retry is written to
 * Postgres first and the job taken away after it; a crash in between leaves a job whose next retry does no harm.
 */
export class FailedLinesAdapter extends BullMQAdapter {
  readonly #deps: FailedLinesDeps;

  constructor(queue: Queue, deps: FailedLinesDeps) {
    super(queue, {
      description: "Lines that ran out of attempts. Retry sends them again, also when their batch has finished.",
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

  /** Retries every failed line; those that are refused stay, and stop none of the others. */
  async retryAll(): Promise<RetryAllOutcome> {
    const outcome: RetryAllOutcome = { retried: 0, skipped: 0, refusal: null };
    for (;;) {
      // What was retried has left the set, so the refused ones are its head.
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
      if (failed === null) throw new RetryRefusedError("This job is not there any more, or is of a newer release.");
      await retry(failed);
      await queues.removeFailedLine(id);
    };
    return job;
  }
}
