/** The simulator's own endpoints below /_simulator: settings, statistics, and the recorded requests. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { badRequest, formatError, unknownUrl } from "./api-error.ts";
import type { RequestRecord } from "./record.ts";
import { SettingsError } from "./settings.ts";
import type { Simulation } from "./simulation.ts";

const SEEN_LINES_PER_WRITE = 1000;

/** Answers a request below /_simulator. `url` is its path and query. */
export async function answerControlRequest(
  simulation: Simulation,
  { method, url, body }: { readonly method: string; readonly url: string; readonly body: Buffer },
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(url, "http://simulator");
  const { record } = simulation;
  switch (`${method} ${pathname}`) {
    case "GET /_simulator/settings":
      sendJson(response, 200, JSON.stringify(simulation.settings()));
      break;
    case "PUT /_simulator/settings":
      changeSettings(simulation, body, response);
      break;
    case "GET /_simulator/stats":
      sendJson(response, 200, JSON.stringify(record.stats()));
      break;
    case "GET /_simulator/seen":
      await sendSeen(record, response);
      break;
    case "DELETE /_simulator/seen":
      record.reset();
      sendJson(response, 200, JSON.stringify(record.stats()));
      break;
    case "GET /_simulator/bodies":
      sendBody(record, searchParams.get("key") ?? "", response);
      break;
    default:
      sendJson(response, 404, formatError(unknownUrl(method, pathname)));
  }
}

function changeSettings(simulation: Simulation, body: Buffer, response: ServerResponse): void {
  try {
    simulation.change(JSON.parse(body.toString("utf8")));
  } catch (error) {
    if (!(error instanceof SettingsError) && !(error instanceof SyntaxError)) throw error;
    sendJson(response, 400, formatError(badRequest(error.message)));
    return;
  }
  sendJson(response, 200, JSON.stringify(simulation.settings()));
}

/** Sends one line for each key, at the speed of the client, because there may be millions of keys. */
async function sendSeen(record: RequestRecord, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/jsonl", "x-nightshift-simulator": "1" });
  let lines: string[] = [];
  for (const seen of record.seen()) {
    lines.push(`${JSON.stringify(seen)}\n`);
    if (lines.length < SEEN_LINES_PER_WRITE) continue;
    if (!response.write(lines.join(""))) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (response.destroyed) return;
    lines = [];
  }
  response.end(lines.join(""));
}

function sendBody(record: RequestRecord, key: string, response: ServerResponse): void {
  const body = record.body(key);
  if (body === null) {
    sendJson(
      response,
      404,
      formatError({ ...badRequest(`The simulator does not keep a body for the key '${key}'.`), status: 404 }),
    );
    return;
  }
  response.writeHead(200, { "content-type": "application/octet-stream", "x-nightshift-simulator": "1" });
  response.end(body);
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json", "x-nightshift-simulator": "1" });
  response.end(body);
}
