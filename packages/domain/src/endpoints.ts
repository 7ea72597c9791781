/**
 * The endpoints a batch may target: contract §1.3. All take JSON by POST, also the two that take forms elsewhere (§4.1), and the
 * reply to the POST is the result: that of a video is its job, which whoever reads the result asks the upstream for.
 */
export const BATCH_ENDPOINTS = [
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/completions",
  "/v1/responses",
  "/v1/moderations",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/videos",
] as const;

export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

/** True for one of BATCH_ENDPOINTS, spelled exactly so. */
export function isBatchEndpoint(value: unknown): value is BatchEndpoint {
  return BATCH_ENDPOINTS.includes(value as BatchEndpoint);
}
