import type { Booking, Invoice, Posting, Rules } from "./shapes.ts";

/** Either what is to be booked, or everything that is wrong with an invoice. */
export type Validated =
  | { readonly kind: "valid"; readonly posting: Posting }
  | { readonly kind: "invalid"; readonly problems: string[] };

export interface Examined {
  readonly file: string;
  readonly invoice: Invoice;
  readonly rules: Rules;
  /** A booking under the same reference, if there is one. */
  readonly booked: Booking | null;
}

/** Nothing is left to a model's judgement here. */
export function validate({ file, invoice, rules, booked }: Examined): Validated {
  const { supplier, number, date, costCentre, currency, totalCents } = invoice;
  const rate = currency === rules.currency ? 1 : rules.rates[currency ?? ""];
  const problems = [
    ...findMissing({ supplier, number, date, "cost centre": costCentre, currency, total: totalCents }),
    ...findWrongSums(invoice),
    ...(currency !== null && rate === undefined ? [`there is no rate for ${currency}`] : []),
    ...(costCentre !== null && rules.budgets[costCentre] === undefined
      ? [`no cost centre is named ${costCentre}`]
      : []),
    ...(booked === null ? [] : [`it is booked already: ${booked.id}, from ${booked.file}`]),
  ];
  const reference = toReference(invoice);
  if (
    problems.length > 0 ||
    reference === undefined ||
    costCentre === null ||
    totalCents === null ||
    rate === undefined
  )
    return { kind: "invalid", problems };
  return { kind: "valid", posting: { reference, costCentre, amountCents: Math.round(totalCents * rate), file } };
}

/** What an invoice is, whoever sends it how often: its supplier and its number. */
export function toReference({ supplier, number }: Invoice): string | undefined {
  return supplier === null || number === null ? undefined : `${supplier} / ${number}`;
}

function findMissing(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === null ? [`its ${name} is missing`] : []));
}

function findWrongSums({ lines, netCents, taxCents, totalCents }: Invoice): string[] {
  const wrongLines = lines
    .filter(({ count, priceCents, amountCents }) => count * priceCents !== amountCents)
    .map(({ text }) => `the line “${text}” is not count times price`);
  const sumCents = lines.reduce((sum, { amountCents }) => sum + amountCents, 0);
  return [
    ...wrongLines,
    ...(netCents !== null && sumCents !== netCents ? [`its lines make ${show(sumCents)}, not ${show(netCents)}`] : []),
    ...(netCents !== null && taxCents !== null && totalCents !== null && netCents + taxCents !== totalCents
      ? [`its total is ${show(totalCents)}, but net and tax make ${show(netCents + taxCents)}`]
      : []),
  ];
}

export function show(amountCents: number): string {
  return (amountCents / 100).toFixed(2);
}
