/** GET /openapi.yaml and GET /docs: the API's own description, for everybody. */
import type { CompletionWindows } from "@nightshift/domain";
import { Router } from "express";
import { refuseMethod } from "../tenant-routes.ts";
import { buildDocument, renderYaml } from "./document.ts";
import { operationsWith } from "./operations.ts";
import { renderPage } from "./page.ts";

/** The page is ours alone and loads nothing; this keeps it so whatever a description says. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** Both are rendered once, here, with the completion windows that are offered. */
export function descriptionRoutes(windows: CompletionWindows): Router {
  const document = buildDocument(operationsWith(windows.keys()));
  const yaml = renderYaml(document);
  const page = renderPage(document);
  const router = Router();
  router
    .route("/openapi.yaml")
    .get((_request, response) => {
      response.type("application/yaml").send(yaml);
    })
    .all(refuseMethod(["get"]));
  router
    .route("/docs")
    .get((_request, response) => {
      response.setHeader("content-security-policy", PAGE_POLICY).type("html").send(page);
    })
    .all(refuseMethod(["get"]));
  return router;
}
