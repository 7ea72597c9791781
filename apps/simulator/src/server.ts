/**
 * The simulator's HTTP server: OpenAI's endpoints as a function of the request, for demos, tests and load. Plain
 * node:http, because its own cost is part of what a load test measures.
 */
import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { listen } from "@nightshift/service";
import { type Answer, answer } from "./answer.ts";
import { bodyTooLarge, formatError, unknownUrl } from "./api-error.ts";
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

/** Serves, on a free port of loopback unless told otherwise. Rejects with SettingsError, or PortTakenError. */
export async function startSimulator(
  settings: Partial<SimulatorSettings> = {},
  { host = "127.0.0.1", port = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<Simulator> {
  const simulation = createSimulation(settings);
  const server = await listen(
    (request, response) => {
      collect(request, response, (body) => {
        serve(simulation, request, body, response);
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

function serve(simulation: Simulation, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { method = "GET", url = "/" } = request;
  const [path = "/"] = url.split("?", 1);
  if (path.startsWith("/_simulator/")) {
    control(simulation, { method, url, body }, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  } else if (method === "POST") {
    const header = request.headers["idempotency-key"];
    simulate(simulation, { path, body, key: typeof header === "string" ? header : hash("sha256", body) }, response);
  } else if (method === "GET" && path.endsWith("/models")) {
    send(response, 200, MODELS, {});
  } else {
    send(response, 404, formatError(unknownUrl(method, path)), {});
  }
}

function simulate(
  simulation: Simulation,
  { path, body, key }: { readonly path: string; readonly body: Buffer; readonly key: string },
  response: ServerResponse,
): void {
  const { record } = simulation;
  const nowMs = Date.now();
  const { keepBodies } = simulation.current();
  const nth = record.begin(key, nowMs);
  if (keepBodies > 0) record.keep(key, body, keepBodies);

  const answered = answer(simulation, { path, body, key, nth }, nowMs);
  if (answered.delayMs === 0) {
    record.end(key, finish(response, answered));
    return;
  }
  const onClose = (): void => {
    clearTimeout(timer);
    record.end(key, CUT);
  };
  const timer = setTimeout(() => {
    response.off("close", onClose);
    record.end(key, finish(response, answered));
  }, answered.delayMs);
  response.once("close", onClose);
}

/** The status as the record has it. */
function finish(response: ServerResponse, { status, body, headers }: Answer): number {
  if (status === null) response.destroy();
  else send(response, status, body, headers);
  return status ?? CUT;
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...MARK, "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}
