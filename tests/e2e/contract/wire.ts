/** Helpers of the plain HTTP rows: JSON calls, forms with their parts in any order, and the error envelope. */
import type { BatchClient } from "../batch-client.ts";

export type Json = Readonly<Record<string, unknown>>;

/** The status, headers and parsed body of a reply. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function answerOf(reply: Response): Promise<Answer> {
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Json };
}

/** Calls whose replies are JSON. */
export function createWire({ request }: BatchClient) {
  const get = async (path: string): Promise<Answer> => answerOf(await request(path));
  const post = async (path: string, body: unknown): Promise<Answer> =>
    answerOf(
      await request(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  return {
    get,
    post,
    remove: async (path: string): Promise<Answer> => answerOf(await request(path, { method: "DELETE" })),
    /** Sends the parts of a form in this order. A file is a Blob with its name. */
    postForm: async (parts: readonly (readonly [string, string | readonly [Blob, string]])[]): Promise<Answer> => {
      const form = new FormData();
      for (const [name, value] of parts) {
        if (typeof value === "string") form.append(name, value);
        else form.append(name, value[0], value[1]);
      }
      return answerOf(await request("/v1/files", { method: "POST", body: form }));
    },
  };
}

export type Wire = ReturnType<typeof createWire>;

/** Returns the error envelope of contract §5.1 with these contents. */
export const envelope = (message: unknown, param: string | null = null, code: string | null = null): Json => ({
  error: { message, type: "invalid_request_error", param, code },
});
