/**
 * Serves the admin API below /admin/v1, for all tenants. Its bearer token is NIGHTSHIFT_ADMIN_KEY. OpenAI has no such
 * API.
 */
import { timingSafeEqual } from "node:crypto";
import { errors } from "@nightshift/domain";
import { type RequestHandler, Router } from "express";
import { bearerOf, hashKey } from "../middleware/authenticate.ts";
import { type Method, refuseMethod } from "../tenant-routes.ts";

/** Handlers by path below /admin/v1 and method. */
export type AdminTable = Readonly<Record<string, Readonly<Partial<Record<Method, RequestHandler>>>>>;

/**
 * Creates a router for the table. Unknown paths need the key too, so that a client without it cannot explore the API.
 */
export function adminRoutes(adminKey: string, table: AdminTable): Router {
  const router = Router();
  router.use(requireBearer(adminKey));
  for (const [path, handlers] of Object.entries(table)) {
    const route = router.route(path);
    for (const [method, handler] of Object.entries(handlers) as [Method, RequestHandler][]) route[method](handler);
    route.all(refuseMethod(Object.keys(handlers)));
  }
  return router;
}

/** Compares hashes in constant time, so that the timing reveals neither the key nor its length. */
function requireBearer(adminKey: string): RequestHandler {
  const expected = hashKey(adminKey);
  return (request, _response, next) => {
    const key = bearerOf(request);
    if (key === undefined || !timingSafeEqual(hashKey(key), expected)) throw errors.adminKeyOnly();
    next();
  };
}
