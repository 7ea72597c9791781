/** Shows how a batch has ended, and writes its files. */
import type OpenAI from "openai";
import { Value } from "@sinclair/typebox/value";
import { Type } from "@sinclair/typebox";
import type { Screen } from "../screen.ts";
import type { Batch } from "./follow-batch.ts";
import { firstLines, printFile, removeEarlier, saveFile } from "./save-file.ts";

const SHOWN_FAULTS = 10;

/** Paths for results and errors. Null means standard output for results, and only the screen for errors. */
export interface Targets {
  readonly output: string | null;
  readonly errors: string | null;
}

/** True only if every line completed. */
export function isFullyCompleted(batch: Batch): boolean {
  return batch.status === "completed" && (batch.request_counts?.failed ?? 0) === 0;
}

/** Shows in one line how the batch ended, and the errors of validation if it failed. */
export function showOutcome(batch: Batch, screen: Screen): void {
  const { total = 0, completed = 0, failed = 0 } = batch.request_counts ?? {};
  const counts = `${String(completed)} of ${String(total)} lines succeeded${failed > 0 ? `, ${String(failed)} failed` : ""}`;
  screen.line(
    `  ${screen.paint(isFullyCompleted(batch) ? "green" : "red", batch.status)}${total > 0 ? `  ${counts}` : ""}`,
  );
  showBatchErrors(batch, screen);
}

/**
 * Writes results and errors to their targets, and shows the paths and the failed lines. If a batch has no output or
 * error file, removes the file of an earlier batch at that path, so that the file is not mistaken for a result of this
 * batch.
 */
export async function deliver(client: OpenAI, batch: Batch, targets: Targets, screen: Screen): Promise<void> {
  if (batch.status !== "failed") await removeStale(batch, targets, screen);
  if (batch.error_file_id) await showFailedLines(client, batch, targets.errors, screen);
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
    screen.line(`No line failed. Removed ${errors}, which was left by an earlier batch.`);
  if (isStale(output, batch.output_file_id) && (await removeEarlier(output)))
    screen.line(`No line succeeded. Removed ${output}, which was left by an earlier batch.`);
}

/** Shows the errors of validation, which made the whole batch fail. */
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

/** The two shapes of an error line: a response with a status other than 2xx, or no response. */
const ErrorLine = Type.Object({
  custom_id: Type.String(),
  response: nullable(Type.Object({ status_code: Type.Integer(), body: Type.Unknown() })),
  error: nullable(Fault),
});

async function showFailedLines(
  client: OpenAI,
  { id, error_file_id: fileId = "" }: Batch,
  target: string | null,
  screen: Screen,
): Promise<void> {
  const lines = await firstLines(client, fileId, SHOWN_FAULTS + 1);
  for (const line of lines.slice(0, SHOWN_FAULTS)) screen.line(`  ${summarizeErrorLine(line)}`);
  if (lines.length > SHOWN_FAULTS) screen.line("  ...");
  if (target === null) {
    const all = `To get all failed lines, download file ${fileId}, or run: npx nightshift wait ${id} --errors errors.jsonl`;
    screen.line(screen.paint("dim", all));
  } else {
    await saveFile(client, fileId, target);
    screen.line(`Failed lines: ${target}`);
  }
}

/** Summarises an error line in at most 160 characters. */
export function summarizeErrorLine(text: string): string {
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
