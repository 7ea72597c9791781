/** The admin API below /admin/v1: for whoever has NIGHTSHIFT_ADMIN_KEY as bearer, over all tenants. Ours alone; OpenAI has none at this address. */
import { timingSafeEqual } from "node:crypto";
import { errors } from "@nightshift/domain";
import { type RequestHandler, Router } from "express";
import { bearerOf, hashKey } from "../middleware/authenticate.ts";
import { type Method, refuseMethod } from "../tenant-routes.ts";

/** By path below /admin/v1, and method. */
export type AdminTable = Readonly<Record<string, Readonly<Partial<Record<Method, RequestHandler>>>>>;

/** A router for the table. Every request needs the key, those of unknown paths too: nothing shows what there is. */
export function adminRoutes(adminKey: string, table: AdminTable): Router {
  const router = Router();
  router.use(requireBearerRoute(adminKey));
  for (const [path, handlers] of Object.entries(table)) {
    const route = router.route(path);
    for (const [method, handler] of Object.entries(handlers) as [Method, RequestHandler][]) route[method](handler);
    route.all(refuseMethod(Object.keys(handlers)));
  }
  return router;
}

/** Hashes are compared, in constant time: neither the key nor its length shows in how long it takes. */
function requireBearerRoute(adminKey: string): RequestHandler {
  const expected = hashKey(adminKey);
  return (request, _response, next) => {
    const key = bearerOf(request);
    if (key === undefined || !timingSafeEqual(hashKey(key), expected)) throw errors.adminKeyOnly();
    next();
  };
}
