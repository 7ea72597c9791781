/** The spellings of an MD5. */
import { expect, test } from "@jest/globals";
import { readMd5 } from "./joined-content.ts";

const bytes = Buffer.from("00112233445566778899aabbccddeeff", "hex");

test.each([[bytes.toString("hex")], [bytes.toString("hex").toUpperCase()], [bytes.toString("base64")]])(
  "reads the MD5 %s",
  (text) => {
    expect(readMd5(text)).toEqual(bytes);
  },
);

test.each([[undefined], [null]])("treats %s as a missing MD5", (text) => {
  expect(readMd5(text)).toBeNull();
});

test.each([[""], ["abc"], [`${bytes.toString("hex")}0`], [bytes.toString("base64url")], [` ${bytes.toString("hex")}`]])(
  "refuses the MD5 %j",
  (text) => {
    expect(() => readMd5(text)).toThrow("Invalid value for 'md5'");
  },
);
