/** What a tenant may be called. */

const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The rule, to be told to whoever broke it. */
export const TENANT_NAME_RULE = "1 to 63 of the characters a-z, 0-9, _ and -, beginning with a letter or a digit";

/** True where a new tenant may have that name. Ours: OpenAI shows no such thing. */
export function isTenantName(text: string): boolean {
  return TENANT_NAME.test(text);
}
