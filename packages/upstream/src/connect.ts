/** Opens connections to an upstream: undici's connector with a workaround for two bugs of its parser. */
import type { Socket } from "node:net";
import { buildConnector } from "undici";

/** Connections time out after `timeoutMs`, including DNS and TLS. */
export function createConnector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    connect(options, (...result) => {
      if (result[0] === null) disarm(result[1]);
      callback(...result);
    });
  };
}

/**
 * If a `connection: close` reply is paused for backpressure while the connection ends, undici's parser fails at
 * `assert(!this.paused)` outside of any request, which would end the process (undici issue 5360, fixed in undici 8,
 * which needs Node 22). This can happen in two ways, and undici needs neither:
 *
 * - Node finds the end of the stream in its own `read(0)` calls, or together with the last bytes, after which the
 *   parser may pause. So only a read by undici that returns nothing may find the end. Undici reads only while it is not
 *   paused, and it reads until nothing is left at each `readable`, which keeps the stream going without `read(0)`.
 * - Undici takes the code ECONNRESET for a possible end of the reply. With undici's own code UND_ERR_SOCKET, a reset is
 *   always an error, and a request that was about to be written to an idle connection gets another one instead of
 *   failing.
 */
function disarm(socket: Socket): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    if (size === 0) return null;
    const available = socket.readableLength;
    // Reading more than the high-water mark would raise the mark, and with it the memory that a paused connection uses.
    return available === 0 ? read() : read(Math.min(available, socket.readableHighWaterMark));
  };
  // This is the first listener, so it runs before undici's.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") error.code = "UND_ERR_SOCKET";
  });
}
