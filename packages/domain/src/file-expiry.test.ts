/** How long files of batches live by default. */
import { expect, test } from "@jest/globals";
import { batchFileLife, FileExpiryDays } from "./file-expiry.ts";

test("30 days unless the operator says otherwise, and 0 is for ever", () => {
  expect(FileExpiryDays.default).toBe(30);
  expect(batchFileLife(30)).toBe(2_592_000);
  expect(batchFileLife(0)).toBeNull();
});
