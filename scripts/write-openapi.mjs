// Writes docs/openapi-batch-file.yaml from the schemas that validate requests. `npm run docs:openapi` builds first.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { buildDocument, renderYaml } from "../apps/api/dist/openapi/document.js";
import { operations } from "../apps/api/dist/openapi/operations.js";

const file = path.resolve(import.meta.dirname, "../docs/openapi-batch-file.yaml");
writeFileSync(file, renderYaml(buildDocument(operations)));
console.log(`Wrote ${path.relative(process.cwd(), file)}.`);
