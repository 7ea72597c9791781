/** Reads the quick start guide as its readers do: the blocks of code, in order, under their headings. */
import { readFileSync } from "node:fs";
import path from "node:path";

/** A fenced block of code. */
export interface CodeBlock {
  /** The last heading above it, without the marks. */
  readonly heading: string;
  readonly language: string;
  readonly text: string;
}

/** What the guide writes where a reader puts his own. */
export const GUIDE_BASE_URL = "http://localhost:8080";
export const GUIDE_KEY = "YOUR_API_KEY";

/** All blocks of docs/quickstart.md. */
export function readGuide(): readonly CodeBlock[] {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../docs/quickstart.md"), "utf8");
  const blocks: CodeBlock[] = [];
  let heading = "";
  let open: { readonly language: string; readonly lines: string[] } | undefined;
  for (const line of text.split("\n")) {
    if (open !== undefined) {
      if (line.trim() === "```") {
        blocks.push({ heading, language: open.language, text: open.lines.join("\n") });
        open = undefined;
      } else open.lines.push(line);
    } else if (line.startsWith("```")) open = { language: line.slice(3).trim(), lines: [] };
    else if (/^#+ /.test(line)) heading = line.replace(/^#+ /, "");
  }
  return blocks;
}

/** The block of a language under the heading that begins so. Throws when the guide has none or several. */
export function blockUnder(blocks: readonly CodeBlock[], heading: string, language: string): string {
  const found = blocks.filter((block) => block.heading.startsWith(heading) && block.language === language);
  if (found.length !== 1)
    throw new Error(`The guide has ${String(found.length)} ${language} blocks under "${heading}".`);
  return found[0]!.text;
}

/** The commands of a bash block: what stands before the reply that the guide shows below them. */
export function commandsOf(block: string): string {
  return block.split(/^# Response/m)[0] ?? "";
}
