/** Checks for `ensures`: what a schema can't see. They find output that has the right form and is wrong. */
export { addsUp, type Sum, type SumsTerms } from "./tools/checks/adds-up.ts";
export { agreesWith, type AgreementTerms } from "./tools/checks/agrees-with.ts";
export { claimsAreProved, type Claimed, type ClaimsTerms } from "./tools/checks/claims-are-proved.ts";
export { quotesAreIn, type Quoted, type QuotesTerms } from "./tools/checks/quotes-are-in.ts";
/** Guardrails for what is handed over: data about people, and a signal for instructions in what strangers wrote. */
export { noPersonalData, redacted, type Guardrail, type PersonalTerms } from "./guardrails/guardrails.ts";
export { injectionRisk } from "./guardrails/injection-risk.ts";
export {
  findPersonalData,
  redactPersonalData,
  type PersonalKind,
  type PersonalSpan,
} from "./guardrails/personal-data.ts";
