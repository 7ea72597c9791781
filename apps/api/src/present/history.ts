/** Turns history entries into the objects of the API. This is an extension: docs/extensions.md. */
import type { FileOutcome, HistoryEntry } from "@nightshift/db";
import type { BatchHistoryEntry } from "@nightshift/domain";
import { toSeconds } from "./seconds.ts";

type EntryDetails = Pick<BatchHistoryEntry, "type" | "message" | "status" | "requests" | "files">;

const ID_PREFIX = "bhe_";

/** Returns an entry with every key, in a fixed order, with explicit nulls. */
export function presentHistoryEntry(batchId: string, entry: HistoryEntry): BatchHistoryEntry {
  const { type, message, status, requests, files } = detailsOf(entry);
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

/** Returns the id of the entry in Postgres, or null if the text cannot be the id of an entry. */
export function historyEntryId(text: string): string | null {
  return /^bhe_[a-z0-9_]{1,20}$/.test(text) ? text.slice(ID_PREFIX.length) : null;
}

function detailsOf(entry: HistoryEntry): EntryDetails {
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
  const { type, message } = RETRIES[entry.what];
  const requests = { count, lines: [...lines] };
  return { type, message: message(count), status: null, requests, files: null };
}

const CHANGES = {
  keep: "unchanged",
  create: "created",
  replace: "replaced",
  remove: "removed",
  forget: "removed",
} as const satisfies Record<FileOutcome, string>;

const counted = (count: number, kind: string): string => `${String(count)} ${kind} request${count === 1 ? "" : "s"}`;

const RETRIES = {
  retries_asked: {
    type: "retry_requested",
    message: (count: number) => `Retry requested for ${counted(count, "failed")}.`,
  },
  retries_succeeded: {
    type: "retry_succeeded",
    message: (count: number) => `${counted(count, "retried")} succeeded.`,
  },
  retries_failed: {
    type: "retry_failed",
    message: (count: number) => `${counted(count, "retried")} failed again.`,
  },
  retries_given_up: {
    type: "retry_given_up",
    message: (count: number) => `${counted(count, "retried")} had no result within 24 hours.`,
  },
} as const;
