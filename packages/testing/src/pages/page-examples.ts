/**
 * Reads the examples of the documentation: the fenced blocks of README.md and docs/*.md. A test takes an example from
 * its page with `pageExample` or `pageExamples` and runs it. tests/architecture/examples.test.ts finds these calls in
 * the source text, so their arguments must be literals or constants.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../repository.ts";
import { PLACEHOLDERS, type Placeholder } from "./placeholders.ts";

/** A fenced block of a page. */
export interface PageExample {
  /** The last heading above the block, without the number signs. */
  readonly heading: string;
  readonly language: string;
  /** The position among the blocks of this language under the heading, counted from 1. */
  readonly place: number;
  /** The word after the language, such as `File` in "json File", or "". */
  readonly label: string;
  readonly text: string;
}

/** Returns all fenced blocks of a page, such as `docs/webhooks.md`. */
export function readPage(page: string): readonly PageExample[] {
  const found: PageExample[] = [];
  let heading = "";
  let open: { readonly info: string; readonly lines: string[] } | undefined;
  for (const line of readFileSync(path.join(REPOSITORY, page), "utf8").split("\n")) {
    if (open === undefined) {
      if (line.startsWith("```")) open = { info: line.slice(3).trim(), lines: [] };
      else if (/^#+ /.test(line)) heading = line.replace(/^#+ /, "");
    } else if (line.trim() === "```") {
      const [language = "", label = ""] = open.info.split(" ");
      const before = found.filter((one) => one.heading === heading && one.language === language);
      found.push({ heading, language, place: before.length + 1, label, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    } else open.lines.push(line);
  }
  return found;
}

/**
 * Returns the text of one block, by default the first block of this language under this heading. Throws if there is no
 * such block.
 */
export function pageExample(page: string, heading: string, language: string, place = 1): string {
  const found = readPage(page).find(
    (one) => one.heading === heading && one.language === language && one.place === place,
  );
  if (found === undefined) throw new Error(`${page} has no ${language} block ${String(place)} under "${heading}".`);
  return found.text;
}

/** Returns all blocks of a language. Throws if the page has none. */
export function pageExamples(page: string, language: string): readonly PageExample[] {
  const found = readPage(page).filter((one) => one.language === language);
  if (found.length === 0) throw new Error(`${page} has no ${language} block.`);
  return found;
}

/** Returns the commands of a bash block, without the reply that some pages show below them. */
export function commandsOf(block: string): string {
  return block.split(/^# Response/m)[0] ?? "";
}

/** Returns the reply that a bash block shows below its commands. Throws if it shows none. */
export function replyOf(block: string): unknown {
  const [, reply] = block.split(/^# Response.*\n/m);
  if (reply === undefined) throw new Error(`No reply is shown here:\n${block}`);
  return JSON.parse(reply);
}

/** Replaces the placeholders of an example with the values in `own`. Throws if the example lacks one of them. */
export function fillIn(text: string, own: Partial<Readonly<Record<Placeholder, string>>>): string {
  let filled = text;
  for (const [name, value] of Object.entries(own)) {
    const stand = PLACEHOLDERS[name as Placeholder];
    if (!text.includes(stand)) throw new Error(`"${stand}" is not in this example:\n${text}`);
    filled = filled.replaceAll(stand, value);
  }
  return filled;
}

/** Returns the paths of all keys of a JSON value. Two replies of one kind have the same paths. */
export function keysOf(value: unknown, at = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => keysOf(item, `${at}[]`)))];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${at}.${key}`, ...keysOf(inner, `${at}.${key}`)]);
}
