/** The inference servers we call: configuration, routes, client, and only that. */
export { openUpstreamClient, type UpstreamClient, type UpstreamRequest } from "./client.ts";
export { loadRoutes, loadTiers, SIMULATOR_UPSTREAM, type UpstreamConfig, UpstreamVariables } from "./load-routes.ts";
export { classify, type Reply, type ReplyClass } from "./reply.ts";
export { type RouteFault, RoutesError } from "./routes-error.ts";
export { parseRoutes, parseTiers } from "./routes-file.ts";
export type { Environment } from "./routes-file-meaning.ts";
export { type Route, type Routes } from "./routes.ts";
export { type UpstreamSettings } from "./settings.ts";
