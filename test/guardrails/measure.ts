import { readFileSync } from "node:fs";

import { z } from "zod";

import { injectionRisk } from "../../packages/tutti/src/guardrails/injection-risk.ts";
import {
  findPersonalData,
  personalKinds,
  type PersonalKind,
} from "../../packages/tutti/src/guardrails/personal-data.ts";
import { agtTexts } from "../breach/cases.ts";

const sentences = z
  .array(z.object({ text: z.string(), spans: z.array(z.tuple([z.string(), z.number(), z.number()])) }))
  .parse(JSON.parse(readFileSync(new URL("data/sentences.json", import.meta.url), "utf8")));

const nameByKind: Readonly<Record<PersonalKind, string>> = {
  card: "CREDIT_CARD",
  iban: "IBAN_CODE",
  ssn: "US_SSN",
  email: "EMAIL_ADDRESS",
  ip: "IP_ADDRESS",
  phone: "PHONE_NUMBER",
};

export interface Measured {
  readonly kind: PersonalKind;
  readonly labelled: number;
  readonly recall: number;
  readonly precision: number;
}

/** A span counts as found when something of its kind overlaps it. */
export function measurePersonal(): readonly Measured[] {
  return personalKinds.map((kind) => {
    let labelled = 0;
    let hit = 0;
    let found = 0;
    let right = 0;
    for (const { text, spans } of sentences) {
      const wanted = spans.filter(([name]) => name === nameByKind[kind]);
      const present = findPersonalData(text, personalKinds).filter((span) => span.kind === kind);
      labelled += wanted.length;
      found += present.length;
      hit += wanted.filter(([, start, end]) => present.some((span) => span.start < end && span.end > start)).length;
      right += present.filter((span) => wanted.some(([, start, end]) => span.start < end && span.end > start)).length;
    }
    return { kind, labelled, recall: round(hit / labelled), precision: round(right / found) };
  });
}

const riskMin = 50;

function isRisky({ text }: { readonly text: string }): boolean {
  return injectionRisk(text) >= riskMin;
}

/** Of the attacks and of the harmless texts, how many get a risk of 50 or more. */
export function measureRisk(): { readonly recall: number; readonly falseAlarms: number } {
  const attacks = agtTexts.filter(({ kind }) => kind !== "benign");
  const harmless = agtTexts.filter(({ kind }) => kind === "benign");
  return {
    recall: round(attacks.filter(isRisky).length / attacks.length),
    falseAlarms: round(harmless.filter(isRisky).length / harmless.length),
  };
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

/** As the page about labels shows it. */
export function toPersonalTable(measured: readonly Measured[]): string {
  return [
    "| kind | in the sentences | recall | precision |",
    "|---|---|---|---|",
    ...measured.map(
      ({ kind, labelled, recall, precision }) => `| ${[kind, labelled, recall, precision].join(" | ")} |`,
    ),
  ].join("\n");
}
