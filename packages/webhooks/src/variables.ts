/** The variables that every process that sends webhooks reads. */
import { Type } from "@sinclair/typebox";

/** Properties for the schema of a process' environment. */
export const WebhookVariables = {
  NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: Type.Boolean({
    default: false,
    description: "true or false: whether webhooks may go to this machine and to private networks",
  }),
};
