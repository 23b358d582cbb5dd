import { errorCodes, type Disposition, type EffectKnowledge } from "../../packages/tutti/src/base/error-codes.ts";

interface CodeFacts {
  readonly disposition: Disposition;
  readonly effect: EffectKnowledge;
  readonly means: string;
}

const next: Readonly<Record<Disposition, string>> = {
  retry:
    "Trying again may help. A step, a read or an idempotent tool is tried up to three times, or as its `retry` says; a `once` tool only when nothing happened.",
  "tell-model": "The model that made the call is told, and corrects it.",
  "ask-person": "A person has to put something right or say something; the run waits, or is parked.",
  "give-up": "The flow gets it as an exception, and decides. Nothing tries again by itself.",
  bug: "The flow's code, the ledger or Tutti itself broke a promise. Nothing goes on by guessing.",
};

const effects: Readonly<Record<EffectKnowledge, string>> = {
  none: "Certainly nothing happened.",
  done: "It happened, and something after it failed.",
  unknown: "Nobody knows. For a tool of class `once` or `idempotent` this is what puts an effect in doubt.",
};

/** The text of `docs/errors.md`. */
export function toErrorsPage(): string {
  const codes: readonly (readonly [string, CodeFacts])[] = Object.entries(errorCodes);
  return `# Errors

<!-- Made by \`node scripts/run.mjs scripts/generate-errors-page.ts\` from packages/tutti/src/base/error-codes.ts. -->

Everything that goes wrong in Tutti is a \`TuttiError\` with one of the ${codes.length} codes below. There are no others.
\`error.code\` says what happened, \`error.disposition\` what follows, \`error.effect\` whether the world was changed,
\`error.hint\` what to do about it; \`error.facts\` holds ids and numbers. Decide by the code, never by the message.
\`isTuttiError(thrown)\` tells whether something is one.

## What follows

| disposition | what follows |
|---|---|
${Object.entries(next)
  .map(([disposition, says]) =>
    toRow([
      disposition,
      codes.some(([, facts]) => facts.disposition === disposition) ? says : `${says} No code has it today.`,
    ]),
  )
  .join("\n")}

| effect | what is known |
|---|---|
${Object.entries(effects).map(toRow).join("\n")}

The table gives what a code says about the effect by itself. An error can know better: \`new TuttiError("STEP_FAILED", "…", { effect: "none" })\`.

## Codes

| code | means | follows | effect |
|---|---|---|---|
${codes.map(([name, facts]) => `| \`${name}\` | ${facts.means} | ${facts.disposition} | ${facts.effect} |`).join("\n")}
`;
}

function toRow([name, says]: readonly [string, string]): string {
  return `| \`${name}\` | ${says} |`;
}
