// Starts Swagger UI. This is a file because the content security policy of the page forbids inline scripts.

/** Sends requests to the server that served this page, not to the address in the document, and marks extensions. */
const adaptDocument = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (spec) => {
          for (const operation of Object.values(spec.paths).flatMap((methods) => Object.values(methods))) {
            if (operation["x-nightshift-extension"]) operation.summary += " · Nightshift only";
          }
          return update({ ...spec, servers: [{ url: location.origin }] });
        },
      },
    },
  },
});

SwaggerUIBundle({
  dom_id: "#reference",
  url: "/openapi.yaml",
  plugins: [adaptDocument],
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // By default, Swagger UI would ask a public service to validate the document.
  validatorUrl: null,
});
