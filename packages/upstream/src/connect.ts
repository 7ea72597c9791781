/** How connections to an upstream are opened: undici's connector, with traps of its parser disarmed. */
import type { Socket } from "node:net";
import { buildConnector } from "undici";

/** Connections time out after `timeoutMs`, name look-up and TLS included. */
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
 * A `connection: close` reply that is paused for backpressure while the connection ends runs into
 * `assert(!this.paused)` in undici's parser, outside of any request: it would end the process (undici issue 5360, fixed
 * in undici 8, which needs Node 22). Two ways lead there, and undici needs neither:
 *
 * - The end of the stream is found by Node's own `read(0)` calls, or together with the last bytes, behind which the
 *   parser may pause. So only a read of undici's that finds nothing may find the end: undici reads when it is not
 *   paused, and it reads until nothing is left at each `readable`, which keeps the stream going without `read(0)`.
 * - A reset is taken for a possible end of the reply by its code ECONNRESET. Under undici's own code UND_ERR_SOCKET it is
 *   an error whatever the reply's headers said, and a request that was about to be written to an idle connection is given
 *   another one instead of failing.
 */
function disarm(socket: Socket): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    if (size === 0) return null;
    const available = socket.readableLength;
    // Asking for more than the high-water mark would raise it, and with it the memory of a paused connection.
    return available === 0 ? read() : read(Math.min(available, socket.readableHighWaterMark));
  };
  // Nobody else listens yet, so this listener runs before undici's.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") error.code = "UND_ERR_SOCKET";
  });
}
