declare const brand: unique symbol;

/** Names one execution of a flow. Chosen by the caller or made by the engine. */
export type RunId = string & { readonly [brand]: "RunId" };

/** The path of a durable unit inside its run: `/research/market/search#2`. */
export type StepKey = string & { readonly [brand]: "StepKey" };

/** Names a shared document: its type and its key, `stock/apples`. */
export type DocumentId = string & { readonly [brand]: "DocumentId" };

/** Names one time that people are asked: `3f9c2a71b0`. */
export type ApprovalId = string & { readonly [brand]: "ApprovalId" };

/** Names an action, not a position: the same action has the same key whoever asks for it. */
export type EffectKey = string & { readonly [brand]: "EffectKey" };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only: any text may be such an id
export const toRunId = (text: string): RunId => text as RunId;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only: any text may be such an id
export const toStepKey = (text: string): StepKey => text as StepKey;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only: any text may be such an id
export const toEffectKey = (text: string): EffectKey => text as EffectKey;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only: any text may be such an id
export const toDocumentId = (text: string): DocumentId => text as DocumentId;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand only: any text may be such an id
export const toApprovalId = (text: string): ApprovalId => text as ApprovalId;
