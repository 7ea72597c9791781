import type { LookupAddress } from "node:dns";
import { expect, test } from "@jest/globals";
import { guardedLookup, PrivateAddressError } from "./guarded-lookup.ts";

const PUBLIC: LookupAddress[] = [
  { address: "8.8.8.8", family: 4 },
  { address: "2606:4700:4700::1111", family: 6 },
];
const PRIVATE: LookupAddress[] = [
  { address: "10.0.0.1", family: 4 },
  { address: "::ffff:127.0.0.1", family: 6 },
];

function look(found: LookupAddress[], options: { all?: boolean } = { all: true }): Promise<unknown> {
  return new Promise((resolve) => {
    guardedLookup(async () => found)("hooks.example.com", options, (error, address, family) => {
      resolve(error ?? (family === undefined ? address : { address, family }));
    });
  });
}

test("returns public addresses unchanged", async () => {
  expect(await look(PUBLIC)).toEqual(PUBLIC);
  expect(await look(PUBLIC, {})).toEqual(PUBLIC[0]);
});

test("returns only the public addresses of a mixed answer", async () => {
  expect(await look([...PRIVATE, ...PUBLIC])).toEqual(PUBLIC);
  expect(await look([...PRIVATE, ...PUBLIC], {})).toEqual(PUBLIC[0]);
});

test("fails for a name without a public address, and names the addresses found", async () => {
  const error = await look(PRIVATE);

  expect(error).toBeInstanceOf(PrivateAddressError);
  expect((error as Error).message).toContain("hooks.example.com resolves to 10.0.0.1, ::ffff:127.0.0.1:");
});

test("passes on an error of the resolver", async () => {
  const error = await new Promise((resolve) => {
    guardedLookup(() => Promise.reject(new Error("ENOTFOUND")))("x.invalid", {}, resolve);
  });

  expect(error).toEqual(new Error("ENOTFOUND"));
});
