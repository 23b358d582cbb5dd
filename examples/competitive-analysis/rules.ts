import type { Rule } from "tutti/models";
import { z } from "zod";

import { type Comparison, CompareTask, Found, Question, SearchTask, type Quote } from "./shapes.ts";

const researcher: Rule = ({ input, results }) => {
  const { called, aspect } = SearchTask.parse(input);
  const [searched] = results;
  if (searched === undefined) return { calls: [{ tool: "library.search", input: { called, aspect } }] };
  const { quotes } = Found.parse(searched.result);
  return { answer: { quotes: quotes.filter(({ quote }) => toFigure(quote, aspect) !== undefined).slice(0, 1) } };
};

const comparer: Rule = ({ input }) => {
  const { aspect, found } = CompareTask.parse(input);
  const cells = found.flatMap(({ product, quotes }) =>
    quotes.flatMap((quote) => {
      const value = toFigure(quote.quote, aspect.name);
      return value === undefined ? [] : [{ product, value, ...quote }];
    }),
  );
  const sign = aspect.better === "more" ? -1 : 1;
  const [best] = cells.toSorted((left, right) => sign * (left.value - right.value));
  const comparison: Comparison = { aspect: aspect.name, best: best?.product ?? null, cells };
  return { answer: comparison };
};

/** What the planner knows of the plan before: its searches, and how each of them ended. */
const Before = z.object({
  plan: z.object({ tasks: z.array(z.object({ id: z.string(), input: z.unknown() })) }),
  ended: z.record(z.string(), z.string()),
});

/**
 * A search for each product and aspect, a comparison for each aspect. When a search came back empty, the product is looked for under its next
 * name; one without another name is left out.
 */
const planner: Rule = ({ input }) => {
  const request = z.object({ input: Question, before: Before.optional() }).parse(input);
  const { products, aspects } = request.input;
  const names = products.flatMap(({ name, alsoKnownAs }) => {
    const called = chooseName([name, ...alsoKnownAs], request.before);
    return called === undefined ? [] : [{ product: name, called }];
  });
  const searches = names.flatMap(({ product, called }) =>
    aspects.map(({ name: aspect }) => ({
      id: idOf(product, aspect),
      call: "researcher",
      input: { product, called, aspect },
      success: { notEmpty: true },
      onFailure: { otherwise: "replan" },
    })),
  );
  const comparisons = aspects.map((aspect) => ({
    id: aspect.name,
    call: "comparer",
    input: {
      aspect,
      found: names.map(({ product }) => ({ product, quotes: { $from: `${idOf(product, aspect.name)}.quotes` } })),
    },
  }));
  return { answer: { name: "analysis", goal: request.input.question, tasks: [...searches, ...comparisons] } };
};

export const rules = { researcher, comparer, planner };

function idOf(product: string, aspect: string): string {
  return `${product} ${aspect}`.toLowerCase().replaceAll(/\W+/g, "-");
}

/** The name that was used before, or the next one if a search under it failed; nothing when there is no other. */
function chooseName(names: readonly string[], before: z.infer<typeof Before> | undefined): string | undefined {
  const searches = (before?.plan.tasks ?? []).flatMap(({ id, input }) => {
    const task = SearchTask.safeParse(input);
    return task.success && task.data.product === names[0] ? [{ id, called: task.data.called }] : [];
  });
  const [search] = searches;
  if (search === undefined) return before === undefined ? names[0] : undefined;
  const isEmpty = searches.some(({ id }) => before?.ended[id] === "failed");
  return isEmpty ? names[names.indexOf(search.called) + 1] : search.called;
}

// The figure that belongs to an aspect: minutes, years or crowns.
const unitByAspect: Readonly<Record<string, string>> = { battery: "minutes", warranty: "years", price: "crowns" };

function toFigure(quote: Quote["quote"], aspect: string): number | undefined {
  const found = new RegExp(`(\\d+) ${unitByAspect[aspect] ?? "\\w+"}`, "u").exec(quote)?.[1];
  return found === undefined ? undefined : Number(found);
}
