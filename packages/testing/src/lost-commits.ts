/**
 * A connection to Postgres that can lose the reply to a commit, so that the commit succeeds but the client does not
 * know that it did.
 */
import { afterAll, beforeAll } from "@jest/globals";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { testServices } from "./test-services.ts";

/** A proxy in front of the test server. */
export interface LostCommits {
  /** The URL that reaches a database of the test server through the proxy. Valid from beforeAll on. */
  through(url: string): string;
  /** Drops the reply to the next commit, and closes that connection. */
  loseNext(): void;
  /** Returns the number of commits whose reply was dropped so far. */
  lost(): number;
}

/** A simple Query message of the Postgres protocol (a letter, four bytes of length, text, NUL) that says commit. */
const COMMIT = Buffer.from("Q\0\0\0\u000bcommit\0", "latin1");

/** Gives the calling test file a proxy that is closed after its last test. */
export function useLostCommits(): LostCommits {
  let proxy: TcpProxy;
  let isArmed = false;
  let lost = 0;
  const dropsAnswerTo = (request: Buffer): boolean => {
    if (!isArmed || !request.includes(COMMIT)) return false;
    isArmed = false;
    lost += 1;
    return true;
  };

  beforeAll(async () => {
    proxy = await startTcpProxy(testServices().databaseUrl, { dropsAnswerTo });
  });
  afterAll(() => proxy.close());
  return {
    through: (url) => {
      const proxied = new URL(url);
      proxied.host = new URL(proxy.url).host;
      return proxied.href;
    },
    loseNext: () => {
      isArmed = true;
    },
    lost: () => lost,
  };
}
