/** How the routes of /v1 hang together: which method, whose request, and what is answered where there is no such route. */
import { errors } from "@nightshift/domain";
import { type Request, type RequestHandler, type Response, Router } from "express";
import type { Authenticate } from "./middleware/authenticate.ts";

/** Handles a request whose tenant is known. */
export type TenantHandler = (request: Request, response: Response, tenant: string) => Promise<void>;

export type Method = "get" | "post" | "delete";

/** By path pattern and method. */
export type RouteTable = Readonly<Record<string, Readonly<Partial<Record<Method, TenantHandler>>>>>;

/**
 * A router for the table. Keys are asked for by the routes themselves, so an unknown URL is 404 and a wrong method 405
 * for everybody, as contract §5.2 has it.
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

/** As the client sent it, also where a router in between took its own beginning off. */
function fullPath({ baseUrl, path }: Request): string {
  return baseUrl + path;
}

/** Answers what no route took. */
export const refuseUnknownUrl: RequestHandler = (request) => {
  throw errors.unknownUrl(request.method, fullPath(request));
};

/** Answers the methods that a path does not have; `methods` are those that it has. */
export function refuseMethod(methods: readonly string[]): RequestHandler {
  const allowed = methods.flatMap((method) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]));
  return (request, response) => {
    response.setHeader("allow", allowed.join(", "));
    throw errors.methodNotAllowed(request.method, fullPath(request));
  };
}
