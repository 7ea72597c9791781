/** Webhooks on their way out: signed, and posted to public addresses only. Knows no database and no queue. */
export { findUrlFault } from "./endpoint-url.ts";
export {
  createWebhookSender,
  type SendOutcome,
  type WebhookMessage,
  type WebhookSender,
  WebhookVariables,
} from "./sender.ts";
export { newWebhookSecret } from "./signature.ts";
