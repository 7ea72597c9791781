/**
 * The simulator's HTTP server: OpenAI's endpoints as a function of the request, for demos, tests and load. Plain
 * node:http, because its own cost is part of what a load test measures.
 */
import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createLogger, listen, type Logger } from "@nightshift/service";
import { type Answer, answer, type SimulatedRequest } from "./answer.ts";
import { bodyTooLarge, formatError, internalFailure, unknownUrl } from "./api-error.ts";
import { control } from "./control.ts";
import { CUT } from "./record.ts";
import { MODELS } from "./replies/models.ts";
import type { SimulatorSettings } from "./settings.ts";
import { createSimulation, type Simulation } from "./simulation.ts";

export type { Seen, Stats } from "./record.ts";
export { type Fault, SettingsError, type SimulatorSettings } from "./settings.ts";

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MARK = { "content-type": "application/json", "x-nightshift-simulator": "1" };

export interface Simulator {
  /** Without a path: OpenAI's endpoints are below `/v1` or any other prefix. */
  readonly url: string;
  /** Cuts what is still being answered. */
  close(): Promise<void>;
}

export interface SimulatorOptions {
  readonly host?: string;
  readonly port?: number;
  readonly logger?: Logger;
}

/** What requests are served with. */
interface Service {
  readonly simulation: Simulation;
  readonly logger: Logger;
}

/** Serves, on a free port of loopback unless told otherwise. Rejects with SettingsError, or PortTakenError. */
export async function startSimulator(
  settings: Partial<SimulatorSettings> = {},
  { host = "127.0.0.1", port = 0, logger = createLogger({ name: "simulator", level: "info" }) }: SimulatorOptions = {},
): Promise<Simulator> {
  const service = { simulation: createSimulation(settings), logger };
  const server = await listen(
    (request, response) => {
      collect(request, response, (body) => {
        serve(service, request, body, response);
      });
    },
    { host, port },
  );
  return { url: server.url, close: () => server.close(0) };
}

function collect(request: IncomingMessage, response: ServerResponse, onBody: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (!response.headersSent) send(response, 413, formatError(bodyTooLarge(MAX_BODY_BYTES)), {});
  });
  request.on("end", () => {
    const [only, ...rest] = chunks;
    if (!response.headersSent) onBody(only !== undefined && rest.length === 0 ? only : Buffer.concat(chunks));
  });
}

function serve(service: Service, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method = "GET", url = "/" } = request;
  const [path = "/"] = url.split("?", 1);
  if (path.startsWith("/_simulator/")) {
    control(service.simulation, { method, url, body }, response).catch((error: unknown) => {
      fail(service, error, response);
    });
  } else if (method === "POST") {
    const header = request.headers["idempotency-key"];
    simulate(service, { path, body, key: typeof header === "string" ? header : hash("sha256", body) }, response);
  } else if (method === "GET" && path.endsWith("/models")) {
    send(response, 200, MODELS, {});
  } else {
    send(response, 404, formatError(unknownUrl(method, path)), {});
  }
}

function simulate(
  service: Service,
  { path, body, key }: { readonly path: string; readonly body: Buffer; readonly key: string },
  response: ServerResponse,
): void {
  const { simulation } = service;
  const { record } = simulation;
  const nowMs = Date.now();
  const { keepBodies } = simulation.current();
  const nth = record.begin(key, nowMs);
  if (keepBodies > 0) record.keep(key, body, keepBodies);

  const answered = answerSafely(service, { path, body, key, nth }, nowMs);
  if (answered.delayMs === 0) {
    record.end(key, finish(service, response, answered));
    return;
  }
  const onClose = (): void => {
    clearTimeout(timer);
    record.end(key, CUT);
  };
  const timer = setTimeout(() => {
    response.off("close", onClose);
    record.end(key, finish(service, response, answered));
  }, answered.delayMs);
  response.once("close", onClose);
}

/** A fault of the simulator's own is an answer as well: a load test must not lose its upstream to one odd request. */
function answerSafely({ simulation, logger }: Service, request: SimulatedRequest, nowMs: number): Answer {
  try {
    return answer(simulation, request, nowMs);
  } catch (error) {
    logger.error({ err: error, path: request.path }, "could not answer a request");
    const failure = internalFailure();
    return { delayMs: 0, status: failure.status, body: formatError(failure), headers: {} };
  }
}

/** The status as the record has it. */
function finish(service: Service, response: ServerResponse, { status, body, headers }: Answer): number {
  if (status === null) {
    response.destroy();
    return CUT;
  }
  try {
    send(response, status, body, headers);
    return status;
  } catch (error) {
    return fail(service, error, response);
  }
}

/** Ends a response whose making failed; the status as the record has it. */
function fail({ logger }: Service, error: unknown, response: ServerResponse): number {
  logger.error({ err: error }, "could not send an answer");
  if (response.headersSent) {
    response.destroy();
    return CUT;
  }
  const failure = internalFailure();
  send(response, failure.status, formatError(failure), {});
  return failure.status;
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...MARK, "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}
