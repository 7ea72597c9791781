/**
 * The simulator's HTTP server: OpenAI's endpoints for demos, tests and load tests. Each reply depends only on its
 * request. It uses plain node:http, because a load test measures the server's own cost too.
 */
import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createLogger, listen, type Logger } from "@nightshift/service";
import { type Answer, answer, type SimulatedRequest } from "./answer.ts";
import { bodyTooLarge, formatError, internalFailure, unknownUrl } from "./api-error.ts";
import { answerControlRequest } from "./control.ts";
import { CUT } from "./record.ts";
import { CREATED_SECONDS, SIMULATOR } from "./replies/simulated-text.ts";
import type { SimulatorSettings } from "./settings.ts";
import { createSimulation, type Simulation } from "./simulation.ts";

export type { Seen, Stats } from "./record.ts";
export { type Fault, SettingsError, type SimulatorSettings } from "./settings.ts";

const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** The reply of GET /models: the simulator is the only model. */
const MODELS = JSON.stringify({
  object: "list",
  data: [{ id: SIMULATOR, object: "model", created: CREATED_SECONDS, owned_by: SIMULATOR }],
});
const MARK = { "content-type": "application/json", "x-nightshift-simulator": "1" };

export interface Simulator {
  /** The URL without a path. OpenAI's endpoints are below `/v1` or any other prefix. */
  readonly url: string;
  /** Closes the server and cuts the requests in flight. */
  close(): Promise<void>;
}

export interface SimulatorOptions {
  readonly host?: string;
  readonly port?: number;
  readonly logger?: Logger;
}

/** The dependencies of the request handlers. */
interface ServerState {
  readonly simulation: Simulation;
  readonly logger: Logger;
}

/** Starts a server, by default on a free port of loopback. Rejects with SettingsError or PortTakenError. */
export async function startSimulator(
  settings: Partial<SimulatorSettings> = {},
  { host = "127.0.0.1", port = 0, logger = createLogger({ name: "simulator", level: "info" }) }: SimulatorOptions = {},
): Promise<Simulator> {
  const service = { simulation: createSimulation(settings), logger };
  const server = await listen(
    (request, response) => {
      collectBody(request, response, (body) => {
        serve(service, request, body, response);
      });
    },
    { host, port },
  );
  return { url: server.url, close: () => server.close(0) };
}

function collectBody(request: IncomingMessage, response: ServerResponse, onBody: (body: Buffer) => void): void {
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

function serve(service: ServerState, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method = "GET", url = "/" } = request;
  const [path = "/"] = url.split("?", 1);
  if (path.startsWith("/_simulator/")) {
    answerControlRequest(service.simulation, { method, url, body }, response).catch((error: unknown) => {
      sendFailure(service, error, response);
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
  service: ServerState,
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

/** Answers with status 500 if the simulator itself fails, so that one odd request does not end a load test. */
function answerSafely({ simulation, logger }: ServerState, request: SimulatedRequest, nowMs: number): Answer {
  try {
    return answer(simulation, request, nowMs);
  } catch (error) {
    logger.error({ err: error, path: request.path }, "could not answer a request");
    const failure = internalFailure();
    return { delayMs: 0, status: failure.status, body: formatError(failure), headers: {} };
  }
}

/** Sends the answer, and returns the status for the record. */
function finish(service: ServerState, response: ServerResponse, { status, body, headers }: Answer): number {
  if (status === null) {
    response.destroy();
    return CUT;
  }
  try {
    send(response, status, body, headers);
    return status;
  } catch (error) {
    return sendFailure(service, error, response);
  }
}

/** Ends a response that could not be sent, and returns the status for the record. */
function sendFailure({ logger }: ServerState, error: unknown, response: ServerResponse): number {
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
