/** A batch's history as the wire has it: ours, docs/extensions.md. */
import type { FileOutcome, HistoryEntry } from "@nightshift/db";
import type { BatchHistoryEntry } from "@nightshift/domain";
import { toSeconds } from "./seconds.ts";

type Told = Pick<BatchHistoryEntry, "type" | "message" | "status" | "requests" | "files">;

const ID_PREFIX = "bhe_";

/** Every key, in wire order, with explicit nulls. */
export function presentHistoryEntry(batchId: string, entry: HistoryEntry): BatchHistoryEntry {
  const { type, message, status, requests, files } = told(entry);
  return {
    id: ID_PREFIX + entry.id,
    object: "batch.history_entry",
    batch_id: batchId,
    created_at: toSeconds(entry.at),
    type,
    message,
    status,
    requested_by: entry.by,
    requests,
    files,
  };
}

/** The entry's id within Postgres; null where the text cannot be the id of an entry. */
export function historyEntryId(text: string): string | null {
  return /^bhe_[a-z0-9_]{1,20}$/.test(text) ? text.slice(ID_PREFIX.length) : null;
}

function told(entry: HistoryEntry): Told {
  if (entry.what === "status") {
    return {
      type: "status",
      message: `The batch is ${entry.status}.`,
      status: entry.status,
      requests: null,
      files: null,
    };
  }
  if (entry.what === "files_rebuilt") {
    const { output, error } = entry.details;
    const files = { output: CHANGES[output], error: CHANGES[error] };
    const message = `The output file is ${files.output}, the error file is ${files.error}.`;
    return { type: "files_rebuilt", message, status: null, requests: null, files };
  }
  const { count, lines } = entry.details;
  const [type, says] = RETRIES[entry.what];
  const requests = { count, lines: [...lines] };
  return { type, message: `${says}: ${String(count)}.`, status: null, requests, files: null };
}

const CHANGES = {
  keep: "unchanged",
  create: "created",
  replace: "replaced",
  remove: "removed",
  forget: "removed",
} as const satisfies Record<FileOutcome, string>;

const RETRIES = {
  retries_asked: ["retry_requested", "Failed requests that are sent again"],
  retries_succeeded: ["retry_succeeded", "Retried requests that succeeded"],
  retries_failed: ["retry_failed", "Retried requests that failed again"],
  retries_given_up: ["retry_given_up", "Retried requests that had no result within 24 hours"],
} as const;
