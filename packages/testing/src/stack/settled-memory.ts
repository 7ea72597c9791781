/**
 * Measures the memory of a Node process after garbage collection. It asks the process's inspector, which opens on
 * SIGUSR1.
 */
import { WebSocket } from "undici";
import { listeningPorts } from "../processes.ts";
import { until } from "../until.ts";

/** The memory of a process after garbage collection, in bytes. */
export interface SettledMemory {
  /** Resident memory of the process. */
  readonly resident: number;
  /** V8's heap and external memory, mostly buffers, of the main thread. */
  readonly live: number;
}

/** A connection to the inspector of one process. Close it before SIGTERM, because the process waits for it. */
export interface Settler {
  /** Collects all garbage, which pauses the process for about 50 ms. Rejects if the process has ended. */
  readonly settle: () => Promise<SettledMemory>;
  readonly close: () => void;
}

/** Variables for a stack whose processes open their inspectors on different ports. */
export const INSPECTABLE = { NODE_OPTIONS: "--inspect-port=0" } as const;

/** Opens the inspector of a process that was started with INSPECTABLE. */
export async function openSettler(pid: number): Promise<Settler> {
  process.kill(pid, "SIGUSR1"); // has no effect if the inspector is already open
  const url = await until(async () => findInspector(await listeningPorts(pid)), {
    message: `process ${String(pid)} opens its inspector`,
    timeoutMs: 60_000,
  });
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => {
      reject(new Error(`The inspector of process ${String(pid)} does not answer.`));
    });
  });
  const call = createCalls(socket);
  return {
    settle: async () => {
      await call("HeapProfiler.collectGarbage", {});
      const { result } = (await call("Runtime.evaluate", {
        expression: "process.memoryUsage()",
        returnByValue: true,
      })) as { result: { value: NodeJS.MemoryUsage } };
      const { rss, heapUsed, external } = result.value;
      return { resident: rss, live: heapUsed + external };
    },
    close: () => {
      socket.close();
    },
  };
}

/** Returns the address of the inspector on one of these ports, or null if there is no inspector. */
async function findInspector(ports: readonly number[]): Promise<string | null> {
  for (const port of ports) {
    const reply = await fetch(`http://127.0.0.1:${String(port)}/json/list`);
    const targets: unknown = reply.ok ? await reply.json() : null;
    if (Array.isArray(targets)) return (targets as { webSocketDebuggerUrl: string }[])[0]?.webSocketDebuggerUrl ?? null;
    await reply.body?.cancel().catch(() => undefined);
  }
  return null;
}

/** Creates a caller of the inspector's protocol, which matches JSON replies to calls by id. */
function createCalls(socket: WebSocket): (method: string, params: object) => Promise<unknown> {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let calls = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return; // an event, not an answer
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("The inspector has gone."));
  });
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
}
