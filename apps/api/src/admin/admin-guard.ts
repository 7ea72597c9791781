/** Protects the dashboard: HTTP Basic as `admin` with the admin key, and no cross-site requests. */
import { timingSafeEqual } from "node:crypto";
import { errors } from "@nightshift/domain";
import type { Request, RequestHandler } from "express";
import { hashKey } from "../middleware/authenticate.ts";

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Compares hashes in constant time, so that the timing reveals neither the key nor its length. */
export function requireAdmin(adminKey: string): RequestHandler {
  const expected = hashKey(`admin:${adminKey}`);
  return (request, response, next) => {
    const encoded = /^basic +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
    const given = hashKey(Buffer.from(encoded ?? "", "base64").toString("utf8"));
    if (timingSafeEqual(given, expected)) {
      next();
      return;
    }
    response.setHeader("www-authenticate", 'Basic realm="Nightshift", charset="UTF-8"');
    throw errors.adminOnly();
  };
}

/** Refuses changes from other sites (CSRF): browsers send the stored Basic password with cross-site requests too. */
export const refuseCrossSite: RequestHandler = (request, _response, next) => {
  if (!SAFE_METHODS.includes(request.method) && isCrossSite(request)) throw errors.crossSite();
  next();
};

/** Browsers send `Sec-Fetch-Site` or `Origin`. A client that sends neither is not a browser. */
function isCrossSite(request: Request): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin, host } = request.headers;
  if (origin === undefined) return false;
  // Sandboxed pages send the origin `null`.
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
