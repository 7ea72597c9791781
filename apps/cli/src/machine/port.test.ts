import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "@jest/globals";
import { assertPortFree } from "./port.ts";

test("rejects a port in use, and suggests the next one", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;

  try {
    await expect(assertPortFree("127.0.0.1", port)).rejects.toThrow(`Port ${String(port)} is in use by`);
    await expect(assertPortFree("127.0.0.1", port)).rejects.toThrow(`PORT=${String(port + 1)}`);
  } finally {
    other.close();
  }
});

test("accepts a free port, and port 0", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  other.close();
  await once(other, "close");

  await expect(assertPortFree("127.0.0.1", port)).resolves.toBeUndefined();
  await expect(assertPortFree("127.0.0.1", 0)).resolves.toBeUndefined();
});

test("rejects an address that this machine does not have", async () => {
  await expect(assertPortFree("192.0.2.1", 0)).rejects.toThrow("Cannot listen on 192.0.2.1");
});
