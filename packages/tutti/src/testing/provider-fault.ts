import type { EffectKnowledge, ErrorCode } from "../base/error-codes.ts";
import type { Provider } from "../tools/provider.ts";
import type { ProviderAnswer } from "./provider-server.ts";

/** A provider that is to be tried with every fault. */
export interface ProviderUnderTest<Input, Output> {
  /** Makes the provider, told to ask the service at `url` with `key`, and to keep these limits. */
  open(service: ServiceAt): Provider<Input, Output>;
  readonly input: Input;
  /** `write`: asking may change something, and then the error has to say so. */
  readonly effect: "read" | "write";
  /** What its service answers when all is well. */
  readonly good: GoodAnswer;
  /** What its service answers when it has nothing, where that is possible. */
  readonly empty?: GoodAnswer;
  /** `json`: it reads JSON, and can't do without the field at this path. `any`: it takes whatever comes. */
  readonly answers: { readonly kind: "json"; readonly needs: readonly (string | number)[] } | { readonly kind: "any" };
  /** How many requests one call takes when all is well; 1 unless said otherwise. None is ever made twice. */
  readonly requests?: number;
  /** It goes where a redirect leads. */
  readonly followsRedirects?: boolean;
}

export interface ServiceAt {
  readonly url: string;
  readonly key: string;
  readonly timeoutMs: number;
  readonly bytesMax: number;
}

export interface GoodAnswer {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a case needs to know of whom it tries. */
export interface FaultSetting {
  readonly good: GoodAnswer;
  readonly empty: GoodAnswer | undefined;
  readonly key: string;
  /** Where in the JSON the field is that can't be missing; empty where there is no JSON. */
  readonly needs: readonly (string | number)[];
}

/** One thing that can go wrong with a service, and what a provider has to make of it. */
export interface ProviderFault {
  readonly name: string;
  /** Whom it concerns: who reads JSON, who does not follow redirects, whose service can have nothing. Without it, everybody. */
  readonly only?: "json" | "stays" | "empties";
  /** Only the provider's own time limit ends it. */
  readonly slow?: true;
  readonly service: FaultyService;
  readonly expect: FaultExpectation;
}

export type FaultyService =
  | { readonly kind: "answers"; readonly answer: (setting: FaultSetting) => ProviderAnswer }
  /** As above, but with a certificate that nobody trusts. */
  | { readonly kind: "self-signed" }
  | { readonly kind: "not-secure" }
  | { readonly kind: "drops" }
  | { readonly kind: "nobody-listens" }
  | { readonly kind: "no-such-host" }
  /** The caller gives up: before it asks, or while it waits for the answer. */
  | { readonly kind: "caller-leaves"; readonly when: "before" | "meanwhile" };

export type FaultExpectation =
  | {
      readonly kind: "error";
      readonly codes: readonly ErrorCode[];
      /** What may be said of the effect of a `write`. A read changes nothing, and must not say that it did. */
      readonly effects: readonly EffectKnowledge[];
      /** How long to wait, where the service says it; `none` where it does not. */
      readonly retryAfterMs?: number | "none";
    }
  /** The same output as without the fault; or, where it `mayFail`, an error that says that the answer can't be read. */
  | { readonly kind: "output"; readonly mayFail?: boolean }
  /** Another output than when something was found, or TOOL_EMPTY. */
  | { readonly kind: "empty" };

/** Nothing has happened, and everybody can know it. */
export const nothingHappened: readonly EffectKnowledge[] = ["none"];
/** It may have happened: whoever says "none" would have it done twice. */
export const mayHaveHappened: readonly EffectKnowledge[] = ["unknown", "done"];
/** Nothing has happened, and it is allowed not to know it. */
export const hardToTell: readonly EffectKnowledge[] = ["none", "unknown"];

export const unreadable: readonly ErrorCode[] = ["TOOL_ANSWER_INVALID"];
export const brokenOff: readonly ErrorCode[] = ["TOOL_INTERRUPTED", "TOOL_UNAVAILABLE", "TOOL_ANSWER_INVALID"];
export const outOfReach: readonly ErrorCode[] = ["TOOL_UNAVAILABLE", "TOOL_REFUSED"];
export const refusal: readonly ErrorCode[] = ["TOOL_REFUSED", "TOOL_FAILED"];
