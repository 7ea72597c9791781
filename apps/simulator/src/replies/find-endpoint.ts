/** Finds the endpoint for a path. */
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import type { SimulatedEndpoint } from "./simulated-endpoint.ts";
import { imageEdits, imageGenerations } from "./image-generations.ts";
import { moderations } from "./moderations.ts";
import { responses } from "./responses.ts";
import { videos } from "./videos.ts";

// `/chat/completions` comes before `/completions`, because the first path with the same end is taken.
const ENDPOINTS: readonly (readonly [string, SimulatedEndpoint])[] = [
  ["/chat/completions", chatCompletions],
  ["/embeddings", embeddings],
  ["/completions", completions],
  ["/responses", responses],
  ["/moderations", moderations],
  ["/images/generations", imageGenerations],
  ["/images/edits", imageEdits],
  ["/videos", videos],
];

/** Compares only the end of the path, so that any prefix works, such as `/v1` or `/openai/v1`. */
export function findEndpoint(path: string): SimulatedEndpoint | null {
  return ENDPOINTS.find(([end]) => path.endsWith(end))?.[1] ?? null;
}
