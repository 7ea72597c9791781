/** GET /models: the one there is, which is none. */
import { CREATED_SECONDS, SIMULATOR } from "./simulated.ts";

/** The reply, as JSON text. */
export const MODELS = JSON.stringify({
  object: "list",
  data: [{ id: SIMULATOR, object: "model", created: CREATED_SECONDS, owned_by: SIMULATOR }],
});
