/** Gives each request an id, a line in the log and a count in the metrics. */
import { newRequestId, type RandomBytes } from "@nightshift/domain";
import { Counter, type Logger, type Registry } from "@nightshift/service";
import type { Request, RequestHandler, Response } from "express";
import onHeaders from "on-headers";
import { pinoHttp } from "pino-http";

/** Load balancers and an open dashboard request these every few seconds, which would flood the log. */
const UNLOGGED = /^\/(healthz|readyz|metrics|admin)(\/|$)/;

/** Sets `x-request-id` and `openai-processing-ms` (contract §5.3) on every reply, errors included. */
export function requestIds(random: RandomBytes): RequestHandler {
  return (_request, response, next) => {
    const begun = performance.now();
    response.setHeader("x-request-id", newRequestId(random));
    onHeaders(response, () => {
      response.setHeader("openai-processing-ms", String(Math.round(performance.now() - begun)));
    });
    next();
  };
}

/** Logs one line when a request ends, with its id. Headers are not logged, because they contain keys. */
export function requestLog(logger: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger,
    genReqId: (_request, response) => String(response.getHeader("x-request-id")),
    autoLogging: { ignore: (request) => UNLOGGED.test(request.originalUrl) },
    quietReqLogger: true,
    customAttributeKeys: { reqId: "requestId" },
    customLogLevel: (request, response, error) => {
      if (error !== undefined || response.statusCode >= 500) return "warn";
      return request.method === "GET" ? "debug" : "info";
    },
    customSuccessObject: (request, response, fields: object) => ({ ...fields, ...summary(request, response) }),
    customErrorObject: (request, response, _error, fields: object) => ({ ...fields, ...summary(request, response) }),
    serializers: { req: () => undefined, res: () => undefined },
  });
}

/** Counts requests by method, route pattern and status. The route of an unknown URL is `none`. */
export function requestMetrics(registry: Registry): RequestHandler {
  const requests = new Counter({
    name: "nightshift_http_requests_total",
    help: "Requests answered, by method, route and status.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  return (request, response, next) => {
    response.once("close", () => {
      const status = response.writableFinished ? String(response.statusCode) : "aborted";
      requests.inc({ method: request.method, route: routeOf(request), status });
    });
    next();
  };
}

function summary(request: Request, response: Response): object {
  const { method, originalUrl: url } = request;
  return { method, url, status: response.statusCode, ...clientRequestId(request) };
}

/**
 * Returns the id that the client chose, as OpenAI allows. It may not be unique, so replies carry the id of the server.
 */
function clientRequestId({ headers }: Request): { clientRequestId?: string } {
  const id = headers["x-client-request-id"];
  return typeof id === "string" && /^[!-~]{1,512}$/.test(id) ? { clientRequestId: id } : {};
}

/** Returns the route pattern and not the URL, because ids in URLs would create one time series for each request. */
function routeOf(request: Request): string {
  if (request.originalUrl.startsWith("/admin")) return "/admin";
  const route = request.route as { path?: unknown } | undefined;
  return typeof route?.path === "string" ? route.path : "none";
}
