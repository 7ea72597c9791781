/** Closes connections so that the last reply arrives whole, also where its client is still sending. */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A client that still sends after so long is not listening. */
const LINGER_MS = 5_000;

/**
 * Where Node closes a connection after a reply whose request was not read to its end (a refusal, mostly), the kernel sees bytes that
 * nobody has read, resets the connection, and drops what it had not delivered yet: RFC 9112 §9.6. Here the connection is closed for
 * writing first, and for reading when the request has ended, or after 5 s. `running` are the replies under way.
 */
export function lingerOnClose(server: Server, running: ReadonlySet<ServerResponse>): void {
  server.on("connection", (socket: Socket) => {
    const closeSoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      const unread = [...running].find(({ req }) => req.socket === socket && !req.complete)?.req;
      if (unread === undefined) {
        closeSoon();
        return;
      }
      socket.end();
      unread.once("close", closeSoon).resume();
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      socket.once("close", () => {
        clearTimeout(timer);
      });
    };
  });
}
