import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import { assertPortFree } from "./port.ts";

test("a port that somebody listens on is refused by its number, with another to take", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;

  try {
    await expect(assertPortFree("127.0.0.1", port)).rejects.toThrow(`Port ${String(port)} is taken by`);
    await expect(assertPortFree("127.0.0.1", port)).rejects.toThrow(`PORT=${String(port + 1)}`);
  } finally {
    other.close();
  }
});

test("a free port, and any port, is not refused", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  other.close();
  await once(other, "close");

  await expect(assertPortFree("127.0.0.1", port)).resolves.toBeUndefined();
  await expect(assertPortFree("127.0.0.1", 0)).resolves.toBeUndefined();
});

test("an address that is not this machine's is told as such", async () => {
  await expect(assertPortFree("192.0.2.1", 0)).rejects.toThrow("Cannot listen on 192.0.2.1");
});
