import type { Role } from "./commands.ts";
import type { Described } from "./described.ts";

/** One thing that the server does. */
export interface RouteSpec {
  readonly method: "GET" | "POST" | "DELETE";
  /** Parts that begin with a colon are parameters; they are percent-encoded. */
  readonly path: string;
  readonly does: string;
  /** The role that may, besides `admin`; `viewer` means every role, `anyone` needs no token. */
  readonly role: Role | "anyone";
  /** `tenant`: shows and does only what belongs to the caller's tenant. `whole`: refused to callers that belong to one. */
  readonly sees: "tenant" | "whole";
  readonly query?: Described<unknown>;
  readonly body?: Described<unknown>;
  /** `bytes`, `text` and `events` are not JSON. */
  readonly answer: Described<unknown> | "bytes" | "text" | "events";
  /** Needs an `Idempotency-Key`: the same key has the same answer, also after a restart. */
  readonly isCommand?: true;
}

/* What most routes have in common: whom they serve, and how. */
export const look = { method: "GET", role: "viewer", sees: "tenant" } as const;
export const lookWhole = { method: "GET", role: "viewer", sees: "whole" } as const;
export const steer = { method: "POST", role: "operator", sees: "tenant", isCommand: true } as const;
export const steerWhole = { method: "POST", role: "operator", sees: "whole", isCommand: true } as const;
export const open = { role: "anyone", sees: "tenant" } as const;
