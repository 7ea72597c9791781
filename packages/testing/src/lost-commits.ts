/** A way to Postgres that can lose the answer to a commit: it is done, and its client cannot know. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll } from "@jest/globals";

/** A proxy in front of a test's Postgres. */
export interface LostCommits {
  /** The database's URL by way of the proxy, from beforeAll on. All URLs must be of one server. */
  through(url: string): string;
  /** Of the next commit that comes by, the answer is lost with its connection. */
  loseNext(): void;
  /** Commits whose answer was lost so far. */
  lost(): number;
}

/** A simple Query message of the protocol (a letter, four bytes of length, text, NUL) that says commit. */
const COMMIT = Buffer.from("Q\0\0\0\u000bcommit\0", "latin1");

/** Gives the calling test file a proxy, closed after its last test. */
export function useLostCommits(): LostCommits {
  const sockets = new Set<Socket>();
  let server: Server;
  let port: number;
  let target: URL;
  let isArmed = false;
  let lost = 0;

  beforeAll(async () => {
    server = createServer((client) => {
      const postgres = connect(Number(target.port), target.hostname);
      for (const [socket, other] of [
        [client, postgres],
        [postgres, client],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
      let isLosing = false;
      client.on("data", (chunk: Buffer) => {
        if (isArmed && chunk.includes(COMMIT)) {
          isArmed = false;
          isLosing = true;
        }
        postgres.write(chunk);
      });
      postgres.on("data", (chunk: Buffer) => {
        if (!isLosing) {
          client.write(chunk);
          return;
        }
        // Postgres answers when the commit is done, not before.
        lost += 1;
        client.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    through: (url) => {
      target = new URL(url);
      const way = new URL(url);
      way.hostname = "127.0.0.1";
      way.port = String(port);
      return way.href;
    },
    loseNext: () => {
      isArmed = true;
    },
    lost: () => lost,
  };
}
