/** Errors in OpenAI's envelope, which all its SDKs understand. */

export interface ApiError {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** The JSON body of an error. */
export function formatError({ message, type, param, code }: ApiError): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

export function badRequest(message: string, param: string | null = null, code: string | null = null): ApiError {
  return { status: 400, message, type: "invalid_request_error", param, code };
}

export function unknownUrl(method: string, path: string): ApiError {
  return { ...badRequest(`Unknown request URL: ${method} ${path}.`, null, "unknown_url"), status: 404 };
}

export function bodyTooLarge(maxBytes: number): ApiError {
  return { ...badRequest(`The simulator accepts bodies of at most ${String(maxBytes)} bytes.`), status: 413 };
}

export function rateLimited(limit: string): ApiError {
  return {
    status: 429,
    message: `Rate limit of Nightshift's simulator reached: ${limit}.`,
    type: "requests",
    param: null,
    code: "rate_limit_exceeded",
  };
}

export function internalFailure(): ApiError {
  return {
    status: 500,
    message: "Nightshift's simulator failed to answer this request. Its log says why.",
    type: "server_error",
    param: null,
    code: "internal_error",
  };
}

export function simulatedFailure(): ApiError {
  return {
    status: 500,
    message: "Simulated by Nightshift, not a model: this request was chosen to fail.",
    type: "server_error",
    param: null,
    code: null,
  };
}
