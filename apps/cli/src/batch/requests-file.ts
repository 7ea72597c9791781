/** A look into a file of requests before it is uploaded. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** What a batch is for when its file does not say. */
const DEFAULT_ENDPOINT = "/v1/chat/completions";

/**
 * The `url` of the first line that is not blank. A first line without one is not judged here: the server says what is
 * wrong with it, by line number.
 */
export async function endpointOf(file: string): Promise<string> {
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({ input })) {
      if (line.trim() !== "") return urlOf(line) ?? DEFAULT_ENDPOINT;
    }
    return DEFAULT_ENDPOINT;
  } finally {
    input.destroy();
  }
}

function urlOf(line: string): string | null {
  try {
    const { url } = JSON.parse(line) as { url?: unknown };
    return typeof url === "string" ? url : null;
  } catch {
    // No JSON, or null: the server's to refuse.
    return null;
  }
}
