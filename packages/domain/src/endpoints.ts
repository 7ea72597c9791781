/** The endpoints that a batch may target (contract §1.3), and the facts about each of them. */

interface EndpointFacts {
  /** The name that OpenAI's message about streaming uses: contract §3.4. */
  readonly name: string;
  /** Fields that a request body must have: contract §4.1 and the endpoints' own references. */
  readonly requiredFields: readonly string[];
  /** True if the texts in the body's `input` count towards the batch's limit of embedding inputs: contract §4.2. */
  readonly countsInputs?: boolean;
}

/**
 * To add an endpoint, add a row here. Two rules limit what a row can be:
 *
 * - tests/architecture/sdk-types.test.ts requires the endpoints that the pinned OpenAI SDK lists for `batches.create`.
 *   Append any other path to that list there.
 * - A reply that is not JSON counts as a broken connection, and the line is sent again until its attempts are used up.
 *   Endpoints that return audio or other binary data therefore do not work.
 *
 * Every endpoint takes JSON by POST, including the two that take multipart forms outside of batches (contract §4.1).
 * The reply to the POST is the result. For a video, that reply is only a job, and the client asks the upstream for the
 * video itself.
 */
const ENDPOINTS = {
  "/v1/chat/completions": { name: "Chat Completions", requiredFields: ["model", "messages"] },
  "/v1/embeddings": { name: "Embeddings", requiredFields: ["model", "input"], countsInputs: true },
  "/v1/completions": { name: "Completions", requiredFields: ["model", "prompt"] },
  "/v1/responses": { name: "Responses", requiredFields: ["model"] },
  "/v1/moderations": { name: "Moderations", requiredFields: ["input"] },
  "/v1/images/generations": { name: "Images", requiredFields: ["prompt"] },
  "/v1/images/edits": { name: "Images", requiredFields: ["prompt"] },
  "/v1/videos": { name: "Videos", requiredFields: ["prompt"] },
} as const satisfies Readonly<Record<string, EndpointFacts>>;

export type BatchEndpoint = keyof typeof ENDPOINTS;

export const BATCH_ENDPOINTS = Object.keys(ENDPOINTS) as readonly BatchEndpoint[];

/** Returns the row of an endpoint. */
export function endpointFacts(endpoint: BatchEndpoint): EndpointFacts {
  return ENDPOINTS[endpoint];
}
