/** Which endpoint a path means. */
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import type { Endpoint } from "./endpoint.ts";
import { imageEdits, imageGenerations } from "./image-generations.ts";
import { moderations } from "./moderations.ts";
import { responses } from "./responses.ts";
import { videos } from "./videos.ts";

// The longer path stands before the one that it ends in.
const ENDPOINTS: readonly (readonly [string, Endpoint])[] = [
  ["/chat/completions", chatCompletions],
  ["/embeddings", embeddings],
  ["/completions", completions],
  ["/responses", responses],
  ["/moderations", moderations],
  ["/images/generations", imageGenerations],
  ["/images/edits", imageEdits],
  ["/videos", videos],
];

/** By the path's end: in front of it may stand whatever a server has there, such as `/v1` or `/openai/v1`. */
export function findEndpoint(path: string): Endpoint | null {
  return ENDPOINTS.find(([end]) => path.endsWith(end))?.[1] ?? null;
}
