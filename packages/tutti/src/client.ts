/** A Tutti server from a page or a program. Nothing here needs Node. */
export { openClient, type Client, type CommandOptions, type StreamOptions } from "./client/client.ts";
export { ClientError } from "./client/client-error.ts";
export type { ClientOptions, Sending } from "./client/send.ts";
export type * from "./contracts/api/agents.ts";
export type * from "./contracts/api/commands.ts";
export type * from "./contracts/api/comparison.ts";
export type * from "./contracts/api/ledger.ts";
export type * from "./contracts/api/people.ts";
export type * from "./contracts/api/runs.ts";
export { routes, type AnswerOf, type BodyOfRoute, type Operation, type QueryOf } from "./contracts/api/routes.ts";
export type { RouteSpec } from "./contracts/api/route-spec.ts";
