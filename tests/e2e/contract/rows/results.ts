/** Contract §2 and §4.3 to §4.5 for every client: result files and their lines. */
import { expect, test } from "@jest/globals";
import type { Json } from "../clients/client.ts";
import { expectRefusal, idOf, jsonOf, noSuchFile } from "../expectations.ts";
import { batchOf, endOf, uploadInput, UPSTREAM_REFUSAL } from "../fixture-batches.ts";
import type { ClientFixture } from "../fixture.ts";

const lifeOf = (file: Json): number => (file["expires_at"] as number) - (file["created_at"] as number);

/** Registers the rows. */
export function resultRows({ client, batches }: ClientFixture): void {
  test("§4.3, §7.1, §7.2, §7.22: an output line has four keys, a body that is an object, and ends with LF", async () => {
    const lines = (await batches().mixed).output.toString("utf8").split("\n");

    expect(lines.pop()).toBe("");
    expect(lines).toHaveLength(2);
    for (const [at, text] of lines.entries()) {
      const line = JSON.parse(text) as Json;
      expect(Object.keys(line)).toEqual(["id", "custom_id", "response", "error"]);
      expect(line).toEqual({
        id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
        custom_id: `good-${String(at + 1)}`,
        response: {
          status_code: 200,
          request_id: expect.any(String),
          body: expect.objectContaining({ object: "chat.completion" }),
        },
        error: null,
      });
    }
  });

  test("§4.4, §7.3: a refused request is an error line with the status and body of the reply, and no error object", async () => {
    const text = (await batches().mixed).errors.toString("utf8");

    expect(text.endsWith("\n")).toBe(true);
    expect(JSON.parse(text)).toEqual({
      id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
      custom_id: "wrong",
      response: { status_code: 400, request_id: expect.any(String), body: UPSTREAM_REFUSAL },
      error: null,
    });
  });

  test("§2, §4.5, §7.7, §7.19: both result files are in the list, with their purpose and name, and expire after 30 days", async () => {
    const { ended, output, errors } = await batches().mixed;
    const page = await jsonOf(client().files.list({ purpose: "batch_output" }));

    const found = (page["data"] as readonly Json[]).filter(({ id }) =>
      [ended["output_file_id"], ended["error_file_id"]].includes(id),
    );
    const expected = [
      [ended["output_file_id"], `${String(ended["id"])}_output.jsonl`, output.length],
      [ended["error_file_id"], `${String(ended["id"])}_error.jsonl`, errors.length],
    ].map(([id, filename, bytes]) => ({
      object: "file",
      id,
      purpose: "batch_output",
      filename,
      bytes,
      created_at: expect.any(Number),
      expires_at: expect.any(Number),
      status: "processed",
      status_details: null,
    }));
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(found.map(lifeOf)).toEqual([2_592_000, 2_592_000]);
  });

  test("§1.3: output_expires_after counts from the creation of the result file", async () => {
    const { ended, errors } = await batches().refused;

    expect(lifeOf(errors)).toBe(7_200);
    expect(errors["created_at"]).toBeGreaterThanOrEqual(ended["in_progress_at"] as number);
  });

  test("§1.1: a batch still names a result file that was deleted", async () => {
    const input = await uploadInput(client());
    const batch = await endOf(client(), await idOf(client().batches.create(batchOf(String(input["id"])))));
    const id = String(batch["output_file_id"]);

    expect(await jsonOf(client().files.delete(id))).toEqual({ object: "file", id, deleted: true });
    expectRefusal(await client().files.content(id), noSuchFile(id));
    expect(await jsonOf(client().batches.retrieve(String(batch["id"])))).toEqual(batch);
  });
}
