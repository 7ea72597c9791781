/** What every request gets: an id, a line in the log, a share in the metrics. */
import { newRequestId, type RandomBytes } from "@nightshift/domain";
import { Counter, type Logger, type Registry } from "@nightshift/service";
import type { Request, RequestHandler, Response } from "express";
import onHeaders from "on-headers";
import { pinoHttp } from "pino-http";

/** Asked every few seconds by balancers and by the open dashboard: in the log they would hide everything else. */
const UNLOGGED = /^\/(healthz|readyz|metrics|admin)(\/|$)/;

/** Sets `x-request-id` and `openai-processing-ms` (contract §5.3) on the reply, whatever becomes of it. */
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

/** One line for each request when it is over, with its id. Headers stay out of it: they carry keys. */
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

/** Counts requests by method, route pattern and status; a URL of no route of ours counts as `none`. */
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

/** An id that the client gave the request itself, as OpenAI lets it; ours, which replies carry, stays the one that is sure to be unique. */
function clientRequestId({ headers }: Request): { clientRequestId?: string } {
  const id = headers["x-client-request-id"];
  return typeof id === "string" && /^[!-~]{1,512}$/.test(id) ? { clientRequestId: id } : {};
}

/** The pattern and not the URL: ids would make a series of each request. */
function routeOf(request: Request): string {
  if (request.originalUrl.startsWith("/admin")) return "/admin";
  const route = request.route as { path?: unknown } | undefined;
  return typeof route?.path === "string" ? route.path : "none";
}
