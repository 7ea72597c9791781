/** Calls the API of the dashboard, which is bull-board's API, with the admin key. */
import type { Stack } from "@nightshift/testing";

/** A job of the failed set. */
export interface FailedJob {
  readonly id: string;
  readonly failedReason: string;
  readonly data: { readonly batch_id: string; readonly line: number };
}

/** The calls of bull-board's API that tests use. */
export interface DashboardClient {
  /** `path` is relative to the path of the dashboard. */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly queueNames: () => Promise<readonly string[]>;
  /** Returns the jobs of a batch's lines in the failed set. */
  readonly failedLines: (batchId: string) => Promise<readonly FailedJob[]>;
  readonly retry: (job: FailedJob) => Promise<Response>;
}

/** Returns the Authorization header with which the operator signs in. */
export function basicAuthorization(password: string): string {
  return `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
}

/** Creates a client with the stack's admin key. */
export function createDashboardClient(stack: Stack): DashboardClient {
  const request = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: basicAuthorization(stack.adminKey) };
    return fetch(`${stack.url}/admin/queues${path}`, { headers, ...init });
  };
  const queues = async (query: string): Promise<readonly { name: string; jobs: readonly FailedJob[] }[]> => {
    const reply = await request(`/api/queues?page=1&jobsPerPage=100${query}`);
    return ((await reply.json()) as { queues: { name: string; jobs: FailedJob[] }[] }).queues;
  };
  return {
    request,
    queueNames: async () => (await queues("")).map(({ name }) => name),
    failedLines: async (batchId) => {
      const all = await queues("&activeQueue=failed-lines&status=failed");
      return all.flatMap(({ jobs }) => jobs).filter(({ data }) => data.batch_id === batchId);
    },
    retry: (job) => request(`/api/queues/failed-lines/${job.id}/retry`, { method: "PUT" }),
  };
}
