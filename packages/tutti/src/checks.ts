/** Checks for `ensures`: what a schema can't see. They find output that has the right form and is wrong. */
export { addsUp, type Sum, type SumsTerms } from "./tools/checks/adds-up.ts";
export { agreesWith, type AgreementTerms } from "./tools/checks/agrees-with.ts";
export { claimsAreProved, type Claimed, type ClaimsTerms } from "./tools/checks/claims-are-proved.ts";
export { quotesAreIn, type Quoted, type QuotesTerms } from "./tools/checks/quotes-are-in.ts";
