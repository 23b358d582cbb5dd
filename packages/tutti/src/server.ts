/** A running engine over HTTP: docs/server.md. */
export { findConsole } from "./server/find-console.ts";
export { openServer, type ServerOptions, type TuttiServer } from "./server/open-server.ts";
export { openTokens, toTokensFile, type TokenRecord, type Tokens } from "./server/tokens.ts";
export type { IssuerOptions } from "./identity/issuer.ts";
export type { RequestRate } from "./server/rate-limit.ts";
export type { Role } from "./contracts/api/commands.ts";
