/**
 * The connections to one upstream. It reuses the most recently used connection first. Undici's own Pool searches all
 * its clients for a free one, twice for each request: 7 µs with 256 clients, a tenth of the cost of a request.
 */
import { Client } from "undici";

export interface ConnectionPool {
  /** Returns an idle connection, or one that queues the request if all connections are in use. */
  take(): Client;
  /** Returns a connection after an exchange, successful or not. Undici reconnects if necessary. */
  giveBack(client: Client): void;
  isDestroyed(): boolean;
  /** Aborts all exchanges and closes all connections. */
  destroy(): Promise<void>;
}

/** Opens up to `max` connections, each when it is first needed. */
export function createConnectionPool(origin: string, max: number, options: Client.Options): ConnectionPool {
  /** Every connection, with the number of its unfinished exchanges. */
  const users = new Map<Client, number>();
  const idle: Client[] = [];
  let isDestroyed = false;

  const takeLeastUsed = (): Client | undefined => {
    let least: Client | undefined;
    for (const [client, count] of users) {
      if (least === undefined || count < (users.get(least) ?? 0)) least = client;
    }
    return least;
  };

  return {
    take() {
      const client = idle.pop() ?? (users.size < max ? undefined : takeLeastUsed()) ?? new Client(origin, options);
      users.set(client, (users.get(client) ?? 0) + 1);
      return client;
    },
    giveBack(client) {
      const left = (users.get(client) ?? 1) - 1;
      users.set(client, left);
      if (left === 0) idle.push(client);
    },
    isDestroyed: () => isDestroyed,
    async destroy() {
      isDestroyed = true;
      await Promise.all([...users.keys()].map((client) => client.destroy()));
    },
  };
}
