/** The placeholders that readers replace with their own values. All pages use the same placeholders. */

/** The placeholders by their meaning. */
export const PLACEHOLDERS = {
  /** The service: scheme, host and port. */
  url: "http://localhost:8080",
  key: "YOUR_API_KEY",
  /** The upstream in the examples of the configuration. */
  upstream: "http://localhost:8000/v1",
  file: "file-abc123",
  outputFile: "file-output123",
  batch: "batch_xyz789",
  upload: "upload_abc123",
  part: "part_abc123",
  apiKey: "key_abc123",
  webhook: "we_abc123",
  /** A webhook receiver. */
  receiver: "https://example.com/hook",
  receiverPort: "3000",
} as const;

export type Placeholder = keyof typeof PLACEHOLDERS;
