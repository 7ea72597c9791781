import { expect, test } from "@jest/globals";
import { completeBaseUrl } from "./server.ts";

test.each([
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"],
  ["https://api.openai.com/v1", "https://api.openai.com/v1"],
  ["https://gateway.example/openai/v1/", "https://gateway.example/openai/v1"],
])("the base URL of %s is %s", (given, expected) => {
  expect(completeBaseUrl(given)).toBe(expected);
});
