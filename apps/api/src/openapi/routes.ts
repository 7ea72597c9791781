/** Serves GET /openapi.yaml and GET /docs, the description of the API. Neither needs a key. */
import { createRequire } from "node:module";
import path from "node:path";
import type { CompletionWindows } from "@nightshift/domain";
import { type RequestHandler, Router } from "express";
import { refuseMethod } from "../tenant-routes.ts";
import { buildDocument, renderYaml } from "./document.ts";
import { operationsWith } from "./operations.ts";

/** Swagger UI sets styles from its script and has its icons as data URLs. Everything else comes from this server. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const require = createRequire(import.meta.url);
const SWAGGER_UI = path.dirname(require.resolve("swagger-ui-dist/package.json"));
const OWN = path.resolve(import.meta.dirname, "../../assets");

/** Maps each URL that the page loads to a folder and a file. The other files of swagger-ui-dist are not served. */
const ASSETS: Readonly<Record<string, readonly [root: string, file: string]>> = {
  "/docs": [OWN, "docs.html"],
  "/docs/docs.css": [OWN, "docs.css"],
  "/docs/docs.js": [OWN, "docs.js"],
  "/docs/swagger-ui.css": [SWAGGER_UI, "swagger-ui.css"],
  "/docs/swagger-ui-bundle.js": [SWAGGER_UI, "swagger-ui-bundle.js"],
};

/** Creates the routes. The document is rendered once, here, with the completion windows that this server offers. */
export function descriptionRoutes(windows: CompletionWindows): Router {
  const yaml = renderYaml(buildDocument(operationsWith(windows.keys())));
  const router = Router();
  router
    .route("/openapi.yaml")
    .get((_request, response) => {
      response.type("application/yaml").send(yaml);
    })
    .all(refuseMethod(["get"]));
  for (const [url, [root, file]] of Object.entries(ASSETS)) {
    router
      .route(url)
      .get(sendAsset(root, file))
      .all(refuseMethod(["get"]));
  }
  return router;
}

function sendAsset(root: string, file: string): RequestHandler {
  return (_request, response) => {
    response.setHeader("content-security-policy", PAGE_POLICY);
    response.setHeader("x-content-type-options", "nosniff");
    // Without `root`, `sendFile` refuses the file if a folder above the checkout begins with a dot, such as ~/.nvm.
    response.sendFile(file, { root });
  };
}
