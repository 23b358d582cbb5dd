import { tool, TuttiError, type Tool } from "tutti";
import { agreesWith, quotesAreIn } from "tutti/checks";
import { z } from "zod";

import { Account, Filed, Memo, Sources, type Comparable } from "./shapes.ts";

export interface MemoTools {
  readonly gather: Tool<{ account: string }, { company: string; jurisdiction: string; sources: Sources }>;
  readonly file: Tool<Memo, Filed>;
}

export interface Records {
  /** Where the CRM is. */
  readonly url: string;
  readonly comparables: readonly z.infer<typeof Comparable>[];
  /** What has to stand in a memo, by jurisdiction. */
  readonly compliance: Readonly<Record<string, readonly string[]>>;
}

export function toMemoTools(records: Records): MemoTools {
  const { url, compliance } = records;
  const read = async (account: string, signal: AbortSignal): Promise<Account> =>
    Account.parse(await ask(`${url}/accounts/${encodeURIComponent(account)}`, { signal }));
  const find = async (key: string, signal: AbortSignal): Promise<string | undefined> => {
    const query = new URLSearchParams({ key });
    return z.array(z.object({ id: z.string() })).parse(await ask(`${url}/memos?${query.toString()}`, { signal }))[0]
      ?.id;
  };
  return {
    gather: tool({
      name: "sources.gather",
      does: "Brings what the CRM and the comparables say of an account, a fact on each line.",
      input: z.object({ account: z.string() }),
      output: z.object({ company: z.string(), jurisdiction: z.string(), sources: Sources }),
      effect: "read",
      async run({ account }, { signal }) {
        const found = await read(account, signal);
        return { company: found.company, jurisdiction: found.jurisdiction, sources: toSources(found, records) };
      },
    }),
    file: tool({
      name: "memo.file",
      does: "Files a memorandum in the CRM.",
      input: Memo,
      output: Filed,
      effect: "once",
      key: ({ account }) => account,
      preview: toPage,
      // Asked after a person's yes, too: an edit does not get past it.
      needs: [
        {
          name: "every quote stands in the records",
          check: async (memo, { signal }) => {
            const sources = toSources(await read(memo.account, signal), records);
            return quotesAreIn({
              quotes: ({ sentences }: Memo) => sentences.flatMap(({ evidence }) => evidence),
              textOf: (source) => sources[source],
            }).check(memo, undefined);
          },
        },
        {
          name: "the compliance language is there, word for word",
          check: async (memo, { signal }) => {
            const { jurisdiction } = await read(memo.account, signal);
            return agreesWith({
              stated: (output: Memo) => ({ "the compliance language": output.compliance }),
              known: () => ({ "the compliance language": compliance[jurisdiction] ?? null }),
            }).check(memo, undefined);
          },
        },
      ],
      async run(memo, { signal, idempotencyKey }) {
        const body = JSON.stringify({ key: idempotencyKey, memo });
        const headers = { "content-type": "application/json" };
        const filed = await ask(`${url}/memos`, { method: "POST", headers, body, signal });
        return Filed.parse({ ...z.object({ id: z.string() }).parse(filed), account: memo.account });
      },
      async check({ account }, { signal, idempotencyKey }) {
        const id = await find(idempotencyKey, signal);
        return id === undefined ? undefined : { id, account };
      },
    }),
  };
}

/** The facts, in lines. What is worked out from them is a source as well: its lines say from what. */
export function toSources(
  { company, figures, notes }: Account,
  { comparables }: Pick<Records, "comparables">,
): Sources {
  const years = figures.map(
    ({ year, revenue, ebitda }) => `In ${year}, revenue was ${revenue} and EBITDA ${ebitda} million euros.`,
  );
  const peers = comparables.map(
    (peer) => `${peer.company}: ${peer.value} at an EBITDA of ${peer.ebitda} million euros, ${toMultiple(peer)} times.`,
  );
  const multiples = comparables.map(toMultiple).toSorted((left, right) => left - right);
  const median = multiples[Math.floor((multiples.length - 1) / 2)] ?? 0;
  const newest = figures.toSorted((left, right) => right.year - left.year)[0]?.ebitda ?? 0;
  const value = Math.round(median * newest * 10) / 10;
  return {
    crm: [...years, ...notes].join("\n"),
    comparables: peers.join("\n"),
    valuation: `At ${median} times its EBITDA of ${newest}, the median of ${multiples.length} comparables, ${company} is worth ${value} million euros.`,
  };
}

function toMultiple({ value, ebitda }: z.infer<typeof Comparable>): number {
  return Math.round((value / ebitda) * 10) / 10;
}

/** The memo as it is printed. */
export function toPage({ account, sentences, compliance }: Memo): string {
  const lines = sentences.map(({ text, evidence }) => `${text} [${evidence.map(({ source }) => source).join(", ")}]`);
  return [`Memorandum on ${account}`, ...lines, ...compliance].join("\n");
}

/** What the CRM refused has not happened. After any other fault nobody knows: that error is left as it is. */
async function ask(url: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(url, request);
  if (response.ok) return response.json();
  const text = await response.text();
  if (response.status < 500) throw new TuttiError("TOOL_FAILED", `the CRM refused it: ${text}`);
  throw new Error(`the CRM answered ${response.status}: ${text}`);
}
