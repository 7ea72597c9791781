/** The official Python SDK against every profile; its script does the work, this looks at what it saw. */
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, testServices } from "@nightshift/testing";
import { runCommand } from "./command.ts";
import { useStack } from "./use-stack.ts";

const { python } = testServices();

if (python === null) test.todo("the Python SDK is left out: there is no Python with openai and requests here");
else {
  describe.each(availableProfiles())("%s", (profile) => {
    const { stack } = useStack({ profile });

    test("the SDK's users can do all they do", async () => {
      const script = path.join(import.meta.dirname, "python/sdk.py");

      const seen: unknown = JSON.parse(
        await runCommand(python, [script, `${stack().url}/v1`, stack().key], import.meta.dirname),
      );

      expect(seen).toMatchObject({
        file: { object: "file", filename: "upload", purpose: "batch", status: "processed" },
        batch: {
          status: "completed",
          metadata: { job: "nightly" },
          request_counts: { total: 2, completed: 2, failed: 0 },
        },
        custom_ids: ["a", "b"],
        deleted: true,
        chunked: { status: "completed", file: { filename: "chunked.jsonl", purpose: "batch" } },
        chunked_is_whole: true,
        chunked_batch: { status: "completed", request_counts: { total: 3, completed: 3, failed: 0 } },
        listed_twice: 0,
        statuses_after_cancel: [expect.stringMatching(/^cancell(ing|ed)$/), "cancelled"],
        statuses: { deleted_file: 404, wrong_key: 401, cancel_completed: 409 },
      });
    });
  });
}
