import { describe, expect, test } from "@jest/globals";
import { findUrlFault } from "./endpoint-url.ts";

const strict = (url: string): string | null => findUrlFault(url, { allowPrivate: false });

test.each([
  "https://example.com/hook",
  "http://example.com:8123/a?b=c#d",
  "https://8.8.8.8/hook",
  "https://[2606:4700:4700::1111]:444/",
  "https://localhost.example.com/",
  "https://notlocalhost/",
])("accepts %s", (url) => {
  expect(strict(url)).toBeNull();
});

test.each([
  ["", /absolute URL/],
  ["/hook", /absolute URL/],
  ["example.com/hook", /absolute URL/],
  ["https://exa mple.com/", /absolute URL/],
  ["https://example.com/\n", /absolute URL/],
  ["https://exämple.com/", /absolute URL/],
  ["ftp://example.com/", /begin with https/],
  ["file:///etc/passwd", /begin with https/],
  ["https://user@example.com/", /user name or password/],
  ["https://:secret@example.com/", /user name or password/],
  [`https://example.com/${"a".repeat(2_048)}`, /longer than 2048/],
])("refuses %s", (url, reason) => {
  expect(strict(url)).toMatch(reason);
});

describe("addresses of this machine and of private networks", () => {
  test.each([
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://localhost./",
    "http://db.localhost/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
  ])("%s is refused unless private addresses are allowed", (url) => {
    expect(strict(url)).toMatch(/private network; NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE=true/);
    expect(findUrlFault(url, { allowPrivate: true })).toBeNull();
  });
});
