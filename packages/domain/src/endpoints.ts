/** The endpoints a batch may target: contract §1.3, less those that need multipart or polling upstreams. */
export const BATCH_ENDPOINTS = [
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/completions",
  "/v1/responses",
  "/v1/moderations",
  "/v1/images/generations",
] as const;

export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

/** True for one of BATCH_ENDPOINTS, spelled exactly so. */
export function isBatchEndpoint(value: unknown): value is BatchEndpoint {
  return BATCH_ENDPOINTS.includes(value as BatchEndpoint);
}
