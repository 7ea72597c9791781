/** Sends webhooks: signs them and posts them to public addresses only. Uses neither the database nor the queue. */
export { findUrlFault } from "./endpoint-url.ts";
export {
  createWebhookSender,
  type SendOutcome,
  type WebhookMessage,
  type WebhookSender,
  WebhookVariables,
} from "./sender.ts";
export { newWebhookSecret } from "./signature.ts";
