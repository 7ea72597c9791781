/** The inference servers that workers call: their configuration, routes and client. */
export { openUpstreamClient, type UpstreamClient, type UpstreamRequest } from "./client.ts";
export { loadRoutes, loadTiers, SIMULATOR_UPSTREAM, type UpstreamConfig, UpstreamVariables } from "./load-routes.ts";
export { classify, type ReplyClass, type UpstreamReply } from "./reply.ts";
export { type RouteFault, RoutesError } from "./routes-error.ts";
export { type Environment, parseRoutes, parseTiers } from "./routes-file.ts";
export { type Route, type Routes } from "./routes.ts";
export { type UpstreamSettings } from "./settings.ts";
