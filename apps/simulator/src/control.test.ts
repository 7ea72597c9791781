import { expect, test } from "@jest/globals";
import { listen } from "@nightshift/service";
import { answerControlRequest } from "./control.ts";
import { createSimulation } from "./simulation.ts";

test("lists each key once, even if the list needs several writes", async () => {
  const simulation = createSimulation({});
  for (let i = 0; i < 12_345; i++) {
    simulation.record.begin(`key ${String(i)}`, i);
    simulation.record.end(`key ${String(i)}`, 200);
  }
  const server = await listen(
    ({ method = "", url = "" }, response) => {
      void answerControlRequest(simulation, { method, url, body: Buffer.alloc(0) }, response);
    },
    { host: "127.0.0.1", port: 0 },
  );

  const response = await fetch(`${server.url}/_simulator/seen`);
  const lines = (await response.text()).trimEnd().split("\n");
  await server.close(0);

  expect(lines).toHaveLength(12_345);
  expect(new Set(lines.map((line) => (JSON.parse(line) as { key: string }).key)).size).toBe(12_345);
});
