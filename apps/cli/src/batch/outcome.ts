/** How a final batch is told, in a sentence and with its faults, and its files delivered. */
import type OpenAI from "openai";
import { Value } from "@sinclair/typebox/value";
import { Type } from "@sinclair/typebox";
import type { Screen } from "../screen/screen.ts";
import type { Batch } from "./follow-batch.ts";
import { firstLines, printFile, removeEarlier, saveFile } from "./save-file.ts";

const SHOWN_FAULTS = 10;

/** Where results and errors go; null for results is standard output, for errors nowhere but the screen. */
export interface Targets {
  readonly output: string | null;
  readonly errors: string | null;
}

/** True only when every line completed. */
export function isWhole(batch: Batch): boolean {
  return batch.status === "completed" && (batch.request_counts?.failed ?? 0) === 0;
}

/** Tells in a line how it ended, and what validation found where that is the reason. */
export function tellOutcome(batch: Batch, screen: Screen): void {
  const { total = 0, completed = 0, failed = 0 } = batch.request_counts ?? {};
  const counts = `${String(completed)} of ${String(total)} lines succeeded${failed > 0 ? `, ${String(failed)} failed` : ""}`;
  screen.line(`  ${screen.paint(isWhole(batch) ? "green" : "red", batch.status)}${total > 0 ? `  ${counts}` : ""}`);
  showBatchErrors(batch, screen);
}

/**
 * Writes results and errors where they are wanted, and tells where that was and which lines failed. Where a batch that ran
 * has no such file, one of an earlier batch does not stay there to be taken for its own.
 */
export async function deliver(client: OpenAI, batch: Batch, targets: Targets, screen: Screen): Promise<void> {
  if (batch.status !== "failed") await removeStale(batch, targets, screen);
  if (batch.error_file_id) await tellFailedLines(client, batch, targets.errors, screen);
  if (batch.output_file_id) {
    if (targets.output === null) await printFile(client, batch.output_file_id);
    else {
      await saveFile(client, batch.output_file_id, targets.output);
      screen.line(`Results: ${targets.output}`);
    }
  }
}

async function removeStale(batch: Batch, { output, errors }: Targets, screen: Screen): Promise<void> {
  const isStale = (target: string | null, fileId: string | null | undefined): target is string =>
    target !== null && !fileId;
  if (isStale(errors, batch.error_file_id) && (await removeEarlier(errors)))
    screen.line(`No line failed: removed ${errors}, which was of an earlier batch.`);
  if (isStale(output, batch.output_file_id) && (await removeEarlier(output)))
    screen.line(`No line succeeded: removed ${output}, which was of an earlier batch.`);
}

/** What validation found: the reason why the whole batch failed. */
function showBatchErrors(batch: Batch, screen: Screen): void {
  const faults = batch.errors?.data ?? [];
  for (const { line, message, code } of faults.slice(0, SHOWN_FAULTS)) {
    const where = line === null || line === undefined ? "" : `line ${String(line)}: `;
    screen.line(`  ${where}${message ?? ""} ${screen.paint("dim", `(${code ?? "no code"})`)}`);
  }
  if (faults.length > SHOWN_FAULTS) screen.line(`  and ${String(faults.length - SHOWN_FAULTS)} more`);
}

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);
const Fault = Type.Object({ code: Type.Optional(nullable(Type.String())), message: Type.Optional(Type.String()) });

/** The two shapes of an error line: an answer other than 2xx, or no answer at all. */
const ErrorLine = Type.Object({
  custom_id: Type.String(),
  response: nullable(Type.Object({ status_code: Type.Integer(), body: Type.Unknown() })),
  error: nullable(Fault),
});

async function tellFailedLines(
  client: OpenAI,
  { id, error_file_id: fileId = "" }: Batch,
  target: string | null,
  screen: Screen,
): Promise<void> {
  const lines = await firstLines(client, fileId, SHOWN_FAULTS + 1);
  for (const line of lines.slice(0, SHOWN_FAULTS)) screen.line(`  ${describeErrorLine(line)}`);
  if (lines.length > SHOWN_FAULTS) screen.line("  ...");
  if (target === null) {
    const all = `All failed lines, whole: file ${fileId}, or npx nightshift wait ${id} --errors errors.jsonl`;
    screen.line(screen.paint("dim", all));
  } else {
    await saveFile(client, fileId, target);
    screen.line(`Failed lines: ${target}`);
  }
}

/** One line about an error line, cut to fit. */
export function describeErrorLine(text: string): string {
  const line: unknown = JSON.parse(text);
  if (!Value.Check(ErrorLine, line)) return text.slice(0, 160);
  const envelope = Type.Object({ error: Fault });
  const body = line.response?.body;
  const fault = line.error ?? (Value.Check(envelope, body) ? body.error : null);
  const what = [
    ...(line.response === null ? [] : [`status ${String(line.response.status_code)}`]),
    ...(fault?.code ? [fault.code] : []),
    ...(fault?.message === undefined ? [] : [fault.message]),
  ];
  return `${line.custom_id}: ${what.join(", ")}`.replaceAll(/\s+/g, " ").slice(0, 160);
}
