/** The official SDK as our client of the server, and its errors in words for people. */
import { StartupError } from "@nightshift/service";
import OpenAI from "openai";
import type { Server } from "./server.ts";

/** A client that repeats what fails for a moment, and no more. */
export function openClient(server: Server): OpenAI {
  return new OpenAI({ apiKey: server.key.value, baseURL: server.baseUrl, maxRetries: 4, logLevel: "off" });
}

/** Does the work; an error of the SDK becomes a StartupError that says what the server said. */
export async function explained<T>(server: Server, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || error instanceof OpenAI.APIUserAbortError) throw error;
    throw new StartupError(explain(server, error as Error), { cause: error });
  }
}

function explain(server: Server, error: Error): string {
  if (error instanceof OpenAI.APIConnectionError) {
    return `${server.baseUrl} does not answer: ${innermost(error).message}`;
  }
  const hint = error instanceof OpenAI.AuthenticationError ? " Give the right key by --key." : "";
  return `${server.baseUrl} refused: ${error.message}${hint}`;
}

/** The reason that fetch wraps: "connect ECONNREFUSED ..." instead of "fetch failed". */
function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
