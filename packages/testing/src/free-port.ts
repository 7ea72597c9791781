/** Finds free ports. */
import { createServer } from "node:net";

/**
 * Returns a free port of the loopback interface. Another process may take the port before the caller does, so the
 * caller must be able to retry.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("The server has no port."));
        else resolve(address.port);
      });
    });
  });
}
