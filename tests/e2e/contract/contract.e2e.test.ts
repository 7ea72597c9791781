/** Tests the wire contract row by row from outside: with plain HTTP and both official SDKs, on every profile. */
import { describe, test } from "@jest/globals";
import { availableProfiles, testServices } from "@nightshift/testing";
import { batchEndRows } from "./rows/batch-ends.ts";
import { batchRows } from "./rows/batches.ts";
import { convenienceRows } from "./rows/conveniences.ts";
import { fileRows } from "./rows/files.ts";
import { listRows } from "./rows/lists.ts";
import { refusalRows } from "./rows/refusals.ts";
import { resultRows } from "./rows/results.ts";
import { pagingRows } from "./rows/paging.ts";
import { uploadRows } from "./rows/uploads.ts";
import { webhookRows } from "./rows/webhooks.ts";
import { wireBatchRows } from "./rows/wire-batches.ts";
import { wireFileRows } from "./rows/wire-files.ts";
import { wireReplyRows } from "./rows/wire-replies.ts";
import { CLIENTS, type ClientFixture, type ContractFixture, useContractFixture } from "./fixture.ts";

/** Rows by topic that run with every client. */
const ROWS: Readonly<Record<string, (scene: ClientFixture) => void>> = {
  files: fileRows,
  uploads: uploadRows,
  "batches begin": batchRows,
  "batches end": batchEndRows,
  results: resultRows,
  webhooks: webhookRows,
  refusals: refusalRows,
  lists: listRows,
};

/** Rows by topic for details that an SDK hides or handles on its own. */
const OTHER_ROWS: Readonly<Record<string, (stage: ContractFixture) => void>> = {
  "files on the wire": wireFileRows,
  "batches on the wire": wireBatchRows,
  "replies on the wire": wireReplyRows,
  conveniences: convenienceRows,
  paging: pagingRows,
};

describe.each(availableProfiles())("%s", (profile) => {
  const fixture = useContractFixture(profile);

  describe.each(CLIENTS)("%s", (name) => {
    describe.each(Object.entries(ROWS))("%s", (_topic, rows) => {
      rows(fixture.forClient(name));
    });
  });

  describe.each(Object.entries(OTHER_ROWS))("%s", (_topic, rows) => {
    rows(fixture);
  });
});

if (testServices().python === null) {
  test.todo("the Python SDK is left out, because this machine does not have Python with openai and requests");
}
