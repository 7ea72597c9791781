/** The official SDK as the client of a server. Turns its errors into messages for users. */
import { StartupError } from "@nightshift/service";
import OpenAI from "openai";
import type { TargetServer } from "./server.ts";

/** Returns a client that retries calls after temporary failures. */
export function openClient(server: TargetServer): OpenAI {
  return new OpenAI({ apiKey: server.key.value, baseURL: server.baseUrl, maxRetries: 4, logLevel: "off" });
}

/** Runs `work`. An error of the SDK becomes a StartupError with the server's message. */
export async function explainErrors<T>(server: TargetServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || error instanceof OpenAI.APIUserAbortError) throw error;
    throw new StartupError(explainError(server, error as Error), { cause: error });
  }
}

function explainError(server: TargetServer, error: Error): string {
  if (error instanceof OpenAI.APIConnectionError) {
    return `${server.baseUrl} does not answer: ${rootMessage(error)}`;
  }
  const hint = error instanceof OpenAI.AuthenticationError ? " Pass the right key with --key." : "";
  return `${server.baseUrl} refused: ${error.message}${hint}`;
}

/** Returns the message of the innermost cause: "connect ECONNREFUSED ..." instead of the "fetch failed" of fetch. */
export function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
