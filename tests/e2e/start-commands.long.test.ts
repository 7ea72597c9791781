/** Runs each command of the documentation that starts Nightshift, and sends each service a batch. */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { availableProfiles, createDatabase, freePort, takeRedisDatabase, testServices } from "@nightshift/testing";
import { fillIn, pageExample } from "@nightshift/testing/pages";
import { type Started, useReader } from "./reader.ts";

const { bash, s3 } = testServices();
const withBash = bash === null ? test.skip : test;
const withStores = bash === null || !availableProfiles().includes("scaled") ? test.skip : test;
const reader = useReader();

/** Returns each line of a block without its comment. */
const linesOf = (block: string): string[] =>
  block
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ +#.*$/, ""));

/** Starts a service on a free port in place of 8080, and resolves when it is ready. */
async function startOnPort(
  command: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ url: string; service: Started }> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const service = reader.start(bash ?? "", ["-c", command], { ...variables, PORT: port });
  await service.untilAnswered(`${url}/readyz`);
  return { url, service };
}

/** Returns the answers of the README's one command, with the key that the service stores. */
async function answersOf(url: string): Promise<string> {
  const key = (await readFile(path.join(reader.folder(), "data/key"), "utf8")).trim();
  return reader.shell(`npx nightshift run examples/requests.jsonl --server ${url} --key ${key}`);
}

withBash("npm run quickstart runs the five steps", async () => {
  const [quickstart = "", all] = linesOf(pageExample("README.md", "Nightshift", "bash"));

  const printed = await reader.shell(quickstart);

  expect(printed.match(/"custom_id": ?"req-[123]"/g)).toHaveLength(3);
  // The other command of the block runs this test.
  expect([quickstart, all]).toEqual(["npm run quickstart", "npm test"]);
});

withBash("npm start prints the address and the key, writes data/key, and the simulator answers", async () => {
  const command = pageExample("docs/quickstart.md", "Start Nightshift", "bash");

  const { url, service } = await startOnPort(command);
  await service.untilSaid("or do all steps at once");

  expect(service.said()).toContain(`${url}/v1`);
  expect(service.said()).toContain((await readFile(path.join(reader.folder(), "data/key"), "utf8")).trim());
  expect(await answersOf(url)).toContain("Simulated by Nightshift");
});

/** A server in place of vLLM and OpenAI, which records the path and the key of each request. */
const asked: string[] = [];
let upstream: Server;
beforeAll(async () => {
  upstream = createServer((request, response) => {
    void text(request).then(() => {
      asked.push(`${request.url ?? ""} ${request.headers.authorization ?? "without a key"}`);
      response.setHeader("content-type", "application/json").end('{"answer":"from the server that was named"}');
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

const [vllm = "", openai = ""] = linesOf(pageExample("docs/configuration.md", "Upstreams", "bash"));

test("the README and the configuration page show the same command for an upstream", () => {
  expect(linesOf(pageExample("README.md", "A real model", "bash"))).toEqual([vllm]);
});

withBash.each([
  [vllm, "without a key"],
  [openai.replace("https://api.openai.com/v1", "http://localhost:8000/v1"), "Bearer sk-..."],
])("%s sends requests to that server", async (command, key) => {
  asked.length = 0;
  const address = `http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}/v1`;

  const { url } = await startOnPort(fillIn(command, { upstream: address }));

  expect((await answersOf(url)).match(/from the server that was named/g)).toHaveLength(3);
  expect(asked).toEqual(Array.from({ length: 3 }, () => `/v1/chat/completions ${key}`));
});

/** Returns the values that a reader puts in place of "...", with MinIO in place of AWS. */
async function ownStores(): Promise<{ values: Readonly<Record<string, string>>; server: Record<string, string> }> {
  const redisUrl = await takeRedisDatabase();
  if (s3 === null || redisUrl === null) throw new Error("S3 or Redis is missing: the test should have been left out.");
  return {
    values: {
      DATABASE_URL: await createDatabase({ migrated: false }),
      REDIS_URL: redisUrl,
      S3_BUCKET: `nightshift-test-${randomBytes(6).toString("hex")}`,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    },
    server: { S3_ENDPOINT: s3.endpoint, S3_REGION: s3.region },
  };
}

withStores("an API and a worker that are started separately share the configured stores", async () => {
  const [names = "", api = "", worker = ""] = linesOf(pageExample("README.md", "Scale out", "bash", 2));
  const { values, server } = await ownStores();
  const mine = names.replaceAll(/(\w+)=\S*\.\.\./g, (_all, name: string) => `${name}="${values[name] ?? "unknown"}"`);

  const { url } = await startOnPort(`${mine}\n${api}`, server);
  const { url: workerUrl } = await startOnPort(`${mine}\n${worker}`, server);

  expect([api, worker]).toEqual(["npm run start:api", "npm run start:worker"]);
  expect(mine).not.toMatch(/\.\.\.|unknown/);
  expect(await answersOf(url)).toContain("Simulated by Nightshift");
  for (const base of [url, workerUrl]) {
    for (const one of ["/healthz", "/readyz", "/metrics"]) expect((await fetch(base + one)).status).toBe(200);
  }
});
