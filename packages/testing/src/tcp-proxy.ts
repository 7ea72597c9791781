/** A TCP proxy between a client and a server, so that a test can make the network fail for one client only. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A running proxy. */
export interface TcpProxy {
  /** The target's URL with the proxy's address in place of the server's. */
  readonly url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  /** Keeps the connections open but passes nothing on, as a frozen server does. */
  freeze(): void;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /**
   * Sees each chunk that a client sends. Returns true to drop the server's reply to this chunk and end the connection.
   */
  readonly dropsAnswerTo?: (request: Buffer) => boolean;
}

/** Starts a proxy in front of the server that `target` names. */
export async function startTcpProxy(target: string, { dropsAnswerTo }: TcpProxyOptions = {}): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let ownPort = 0;

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
      client.on("data", (chunk: Buffer) => {
        if (dropsAnswerTo?.(chunk) !== true) return;
        upstream.unpipe(client);
        // The server answers only after it has done the work.
        upstream.once("data", () => client.destroy());
        upstream.resume(); // unpipe has paused it
      });
    });
    server.listen(ownPort, "127.0.0.1");
    await once(server, "listening");
    ownPort = (server.address() as AddressInfo).port;
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
  url.port = String(ownPort);
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
