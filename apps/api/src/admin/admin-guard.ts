/** Who may use the dashboard: the user `admin` with the admin key, from the dashboard's own pages. */
import { timingSafeEqual } from "node:crypto";
import { errors } from "@nightshift/domain";
import type { Request, RequestHandler } from "express";
import { hashKey } from "../middleware/authenticate.ts";

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** HTTP Basic. Hashes are compared, in constant time: neither the key nor its length shows in how long it takes. */
export function requireAdminRoute(adminKey: string): RequestHandler {
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

/** Browsers send the admin's password along with whatever another site makes them ask for; such changes are refused. */
export const refuseCrossSite: RequestHandler = (request, _response, next) => {
  if (!SAFE_METHODS.includes(request.method) && isCrossSite(request)) throw errors.crossSite();
  next();
};

/** Browsers say where a request comes from by one header or the other; what says neither is no browser. */
function isCrossSite(request: Request): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin, host } = request.headers;
  if (origin === undefined) return false;
  // `null` is what sandboxed pages send.
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
