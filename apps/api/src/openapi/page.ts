/** The API's description as one page of HTML, for people: no script, no network. */
import type { DescribedOperation, DescribedParameter, DescribedReply, OpenApiDocument } from "./document.ts";
import type { JsonSchema } from "./components.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: 6px; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; }
.method { font-weight: 700; text-transform: uppercase; }
.own { border: 1px solid var(--line); border-radius: 4px; padding: 0 .4rem; font-size: 12px; }
`;

/** The page's HTML. */
export function renderPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const contents = operations.map(
    ({ path, method, operation }) =>
      `<li><a href="#${operation.operationId}"><code><span class="method">${method}</span> ${escape(path)}</code></a> ${escape(operation.summary)}</li>`,
  );
  const schemas = Object.entries(document.components["schemas"] as Readonly<Record<string, JsonSchema>>);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Nightshift API</title>
<style>${STYLE}</style>
<h1>Nightshift API</h1>
<p>${prose(String(document.info["description"]))}</p>
<p>The same for programs: <a href="/openapi.yaml">openapi.yaml</a>.</p>
<ul>${contents.join("\n")}</ul>
${operations.map(({ path, method, operation }) => renderOperation(path, method, operation)).join("\n")}
<h2>Schemas</h2>
${schemas.map(([name, schema]) => `<section id="${escape(name)}"><h3>${escape(name)}</h3>${json(schema)}</section>`).join("\n")}
</html>
`;
}

function renderOperation(path: string, method: string, operation: DescribedOperation): string {
  const own = operation["x-nightshift-extension"] ? ' <span class="own">Nightshift only</span>' : "";
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  return `<section id="${operation.operationId}">
<h2><code><span class="method">${method}</span> ${escape(path)}</code>${own}</h2>
<p><b>${escape(operation.summary)}.</b> ${prose(operation.description)}</p>
${renderParameters(operation.parameters ?? [])}
${bodies.map(([type, body]) => renderBody(type, body)).join("\n")}
<table><tr><th>Status<th>Reply</tr>
${Object.entries(operation.responses)
  .map(([status, reply]) => renderReply(status, reply))
  .join("\n")}
</table></section>`;
}

function renderBody(type: string, body: { readonly schema: JsonSchema; readonly example?: object }): string {
  const example = body.example === undefined ? "" : `<p>For example:</p>${json(body.example)}`;
  return `<p>Body, <code>${escape(type)}</code>:</p>${schemaOf(body.schema)}${example}`;
}

function renderParameters(parameters: readonly DescribedParameter[]): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escape(name)}</code><td>${place}${required ? ", required" : ""}<td>${prose(description)}<td><code>${escape(JSON.stringify(schema))}</code></tr>`,
  );
  return `<table><tr><th>Parameter<th>In<th>Meaning<th>Schema</tr>${rows.join("\n")}</table>`;
}

function renderReply(status: string, { description, content = {} }: DescribedReply): string {
  const bodies = Object.entries(content).map(([type, { schema, examples }]) => {
    const shown = schema === undefined ? "" : schemaOf(schema);
    const cases = Object.entries(examples ?? {}).map(
      ([name, example]) =>
        `<details><summary>${escape(name)}</summary>${json((example as { value: unknown }).value)}</details>`,
    );
    return `<code>${escape(type)}</code> ${shown}${cases.join("")}`;
  });
  return `<tr><td>${status}<td>${prose(description)} ${bodies.join("\n")}</tr>`;
}

/** A link to a schema that has a name, else the schema itself. */
function schemaOf(schema: JsonSchema): string {
  const { $ref } = schema;
  if (typeof $ref !== "string") return json(schema);
  const name = escape($ref.slice($ref.lastIndexOf("/") + 1));
  return `<a href="#${name}">${name}</a>`;
}

function json(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

/** Of Markdown, what our descriptions use: code in back ticks. */
function prose(markdown: string): string {
  return escape(markdown).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
