/** Builds a router from a table of paths and methods, authenticates requests, and answers 404 and 405. */
import { errors } from "@nightshift/domain";
import { type Request, type RequestHandler, type Response, Router } from "express";
import type { Authenticate } from "./middleware/authenticate.ts";

/** Handles an authenticated request. */
export type TenantHandler = (request: Request, response: Response, tenant: string) => Promise<void>;

export type Method = "get" | "post" | "delete";

/** Handlers by path pattern and method. */
export type RouteTable = Readonly<Record<string, Readonly<Partial<Record<Method, TenantHandler>>>>>;

/**
 * Creates a router for the table. It authenticates only requests with a known path and a known method. Without a key,
 * an unknown URL still gets 404, and a wrong method gets 405 (contract §5.2).
 */
export function tenantRoutes(authenticate: Authenticate, table: RouteTable): Router {
  const router = Router();
  for (const [path, handlers] of Object.entries(table)) {
    const route = router.route(path);
    for (const [method, handler] of Object.entries(handlers) as [Method, TenantHandler][]) {
      route[method](async (request, response) => {
        const tenant = await authenticate(request);
        response.setHeader("openai-organization", tenant);
        await handler(request, response, tenant);
      });
    }
    route.all(refuseMethod(Object.keys(handlers)));
  }
  return router;
}

/** Returns the path as the client sent it. A mounted router removes its prefix from `path`. */
function fullPath({ baseUrl, path }: Request): string {
  return baseUrl + path;
}

/** Answers 404 if no route matched. */
export const refuseUnknownUrl: RequestHandler = (request) => {
  throw errors.unknownUrl(request.method, fullPath(request));
};

/** Answers 405 with an `Allow` header. `methods` are the methods that the path has. */
export function refuseMethod(methods: readonly string[]): RequestHandler {
  const allowed = methods.flatMap((method) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]));
  return (request, response) => {
    response.setHeader("allow", allowed.join(", "));
    throw errors.methodNotAllowed(request.method, fullPath(request));
  };
}
