/** Closes connections so that the last reply arrives completely, even if the client is still sending. */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A client that still sends after this time does not read the reply. */
const LINGER_MS = 5_000;

/**
 * By default, Node closes a connection after a reply even if it has not read the whole request, which is the case for
 * most refusals. The kernel then sees unread bytes, resets the connection and drops the undelivered part of the reply
 * (RFC 9112 §9.6). Here the connection closes for writing first, and for reading when the request has ended or after 5
 * s. `running` contains the unfinished replies.
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
