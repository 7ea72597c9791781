/** A TCP proxy that a test can cut, so that a server becomes unavailable for one client only. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A proxy in front of a server. */
export interface Route {
  /** The server's URL through the proxy. */
  readonly url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  /** Keeps the connections but forwards nothing, like a frozen server. */
  freeze(): void;
  close(): Promise<void>;
}

/** Opens a proxy to the server of the URL. */
export async function openRoute(target: string): Promise<Route> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port0 = 0;

  const listen = async (): Promise<void> => {
    server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    server.listen(port0, "127.0.0.1");
    await once(server, "listening");
    port0 = (server.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closed = server === undefined ? Promise.resolve() : once(server, "close");
    server?.close();
    for (const socket of sockets) socket.destroy();
    server = undefined;
    await closed;
  };

  await listen();
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(port0);
  return {
    url: url.href,
    cut,
    restore: listen,
    freeze: () => {
      for (const socket of sockets) socket.unpipe();
    },
    close: cut,
  };
}
