import type { Rule } from "tutti/models";
import { z } from "zod";

import { ReaderInput, WriterInput, type Claim, type Finding } from "./agents.ts";

const perTopicMax = 2;

/** Reads the source, then quotes the sentences that name a topic. */
const reader: Rule = ({ input, results }) => {
  const { topics, source } = ReaderInput.parse(input);
  const [read] = results;
  if (read === undefined) return { calls: [{ tool: "source.read", input: { source } }] };
  const { text } = z.object({ text: z.string() }).parse(read.result);
  const sentences = toSentences(text);
  const findings: Finding[] = topics.flatMap((topic) =>
    sentences
      .filter((sentence) => new RegExp(`\\b${topic}\\b`, "iu").test(sentence))
      .slice(0, perTopicMax)
      .map((quote) => ({ topic, source, quote })),
  );
  return { answer: { findings } };
};

const writer: Rule = ({ input }) => {
  const { topic, findings, sources } = WriterInput.parse(input);
  const saying = new Set(findings.map(({ source }) => source)).size;
  const directions = new Set(findings.map(({ quote }) => toDirection(quote)).filter((each) => each !== "open"));
  const [only = "open"] = directions;
  const figures = findings.flatMap(({ quote }) => quote.match(/\d[\d,]*(?: percent| crowns| weeks)/g) ?? []);
  const said = directions.size > 1 ? "sources differ" : { up: "up", down: "down", open: "no direction" }[only];
  const counted = figures.length === 0 ? "no figures" : figures.join("; ");
  const claim: Claim = {
    topic,
    text: `${capitalize(topic)}: ${said}, in ${saying} of ${sources} sources (${counted}).`,
    figures,
    quotes: findings,
  };
  return { answer: claim };
};

export const rules = { reader, writer };

function toSentences(text: string): string[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines.flatMap((line) => line.split(/(?<=[.!?])\s+/u)).filter((sentence) => sentence.trim() !== "");
}

function toDirection(sentence: string): "up" | "down" | "open" {
  if (/\b(?:rose|grew|went up|more than)\b/u.test(sentence)) return /\bfell\b/u.test(sentence) ? "open" : "up";
  return /\b(?:fell|lower|went down|wait longer)\b/u.test(sentence) ? "down" : "open";
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
