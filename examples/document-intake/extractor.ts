import { agent } from "tutti";
import type { Rule } from "tutti/models";
import { z } from "zod";

import { Invoice } from "./shapes.ts";

const Given = z.object({ text: z.string() });

/** Reads an invoice. It reads and does not judge: what is missing stays missing, what is wrong stays wrong. */
export const extractor = agent({
  name: "extractor",
  does: "Reads what stands on an invoice.",
  model: "fast",
  input: Given,
  output: Invoice,
  instructions:
    "Copy what stands there, amounts in hundredths. Give null for what does not stand there. Correct nothing.",
});

/** How the extractor reads without a language model: line by line. */
export const readInvoice: Rule = ({ input }) => {
  const { text } = Given.parse(input);
  const lines = text.split("\n").map((line) => line.trim());
  const invoice: Invoice = {
    supplier: lines.find((line) => line !== "") ?? null,
    number: match(text, /invoice\s*(?:no\.|number:|#)\s*(\S+)/iu),
    date: match(text, /(\d{4}-\d{2}-\d{2})/u),
    costCentre: match(text, /cost cent(?:re|er):\s*(\w+)/iu),
    currency: match(text, /\b([A-Z]{3})\s+[\d,.]+\s*$/mu) ?? (text.includes("€") ? "EUR" : null),
    lines: lines.flatMap(readLine),
    netCents: readAmount(lines, /^(?:net|subtotal)\b/iu),
    taxCents: readAmount(lines, /^(?:vat|tax|sales tax)\b/iu),
    totalCents: readAmount(lines, /^(?:total|amount due)\b/iu),
  };
  return { answer: invoice };
};

function readLine(line: string): Invoice["lines"] {
  const [, text = "", count, price = "", amount = ""] = /^(.+?)\s{2,}(\d+) x ([\d,.]+)\s+([\d,.]+)$/u.exec(line) ?? [];
  if (count === undefined) return [];
  return [{ text, count: Number(count), priceCents: toCents(price), amountCents: toCents(amount) }];
}

/** The last amount of the line that begins so. */
function readAmount(lines: readonly string[], beginning: RegExp): number | null {
  const found = lines
    .find((line) => beginning.test(line))
    ?.match(/[\d,]+\.\d{2}/gu)
    ?.at(-1);
  return found === undefined ? null : toCents(found);
}

function match(text: string, pattern: RegExp): string | null {
  return pattern.exec(text)?.[1] ?? null;
}

function toCents(amount: string): number {
  return Math.round(Number(amount.replaceAll(",", "")) * 100);
}
