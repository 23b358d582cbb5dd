import { array, assert, boolean, constantFrom, integer, letrec, oneof, property, record, string } from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import type { ModelMessage, ModelReply } from "../../contracts/model.ts";
import { toTask } from "../../testing/model-task.ts";
import { offlineModel } from "./offline-model.ts";

const passages = [
  {
    source: "docs/ledger.md",
    title: "The ledger",
    passage:
      "The ledger keeps every entry for ever. It was written in spring.\n\nA crash never loses an entry that was\nacknowledged, because the ledger writes it to disk first.",
  },
  {
    source: "docs/tools.md",
    title: "Tools",
    passage: "Tools are functions with a contract, and nothing in this text is about storage at all.",
  },
];

const Findings = z.object({
  findings: z.array(z.object({ claim: z.string(), quote: z.string(), source: z.string() })).max(4),
});

function generate(messages: readonly ModelMessage[], schema: z.ZodType): Promise<ModelReply> {
  const wanted = { name: "answer", schema: z.toJSONSchema(schema) };
  return offlineModel().generate({ messages, tools: [], answer: wanted }, new AbortController().signal);
}

async function answer<Schema extends z.ZodType>(
  messages: readonly ModelMessage[],
  schema: Schema,
): Promise<z.output<Schema>> {
  return schema.parse(JSON.parse((await generate(messages, schema)).text));
}

const leaf = constantFrom<z.ZodType[]>(
  z.string(),
  z.string().min(3).max(9),
  z.string().max(4),
  z.string().min(200),
  z.number(),
  z.number().min(2).max(3),
  z.int().positive(),
  z.number().multipleOf(0.25).gt(1),
  z.int().max(-3),
  z.boolean(),
  z.null(),
  z.enum(["a", "b"]),
  z.literal("fixed"),
  z.literal([1, 2]),
  z.iso.date(),
  z.iso.datetime(),
  z.url(),
  z.email(),
  z.uuid(),
  z.unknown(),
);

// Every kind of schema, nested at will.
const { schema: anySchema } = letrec<{ schema: z.ZodType }>((tie) => {
  const names = constantFrom(
    "title",
    "note",
    "quote",
    "source",
    "summary",
    "count",
    "isEmpty",
    "findings",
    "by",
    "x1",
    "score",
    "questions",
    "tags",
  );
  const list = record({ item: tie("schema"), min: integer({ min: 0, max: 3 }), more: integer({ min: 0, max: 3 }) });
  const fields = array(record({ name: names, part: tie("schema"), optional: boolean() }), { maxLength: 4 });
  return {
    schema: oneof(
      { maxDepth: 4 },
      leaf,
      list.map(({ item, min, more }): z.ZodType =>
        z
          .array(item)
          .min(min)
          .max(min + more),
      ),
      fields.map((parts): z.ZodType =>
        z.object(
          Object.fromEntries(parts.map(({ name, part, optional }) => [name, optional ? part.optional() : part])),
        ),
      ),
      record({ left: tie("schema"), right: tie("schema") }).map(({ left, right }): z.ZodType => z.union([left, right])),
    ),
  };
});

test(
  "whatever the schema, the answer fits it; whatever the question, the same request gets the same answer",
  verifies("G2"),
  async () => {
    const cases: { schema: z.ZodType; question: string; given: boolean }[] = [];
    assert(
      property(
        record({ schema: anySchema, question: constantFrom("ledger crash", "penguins", "", "Why?"), given: boolean() }),
        (each) => {
          cases.push(each);
        },
      ),
      { numRuns: 600, seed: 7 },
    );
    for (const { schema, question, given } of cases) {
      const wanted = z.object({ answer: schema });
      const messages = toTask(given ? { question, passages } : { question });
      const reply = await generate(messages, wanted);
      const parsed = wanted.safeParse(JSON.parse(reply.text));
      expect(
        parsed.success ? "" : `${parsed.error.message}\n${JSON.stringify(z.toJSONSchema(wanted))}\n${reply.text}`,
      ).toBe("");
      expect(await generate(messages, wanted)).toEqual(reply);
    }
  },
);

test("text of a certain form is taken from the material, and not made up where there is none", async () => {
  const Order = z.object({ code: z.string().regex(/^[A-Z]-\d+$/) });
  expect(await answer([{ role: "user", text: "Which order? It was (B-12), I think." }], Order)).toEqual({
    code: "B-12",
  });
  const reply = await generate([{ role: "user", text: "Which order? I forgot." }], Order);
  expect(JSON.parse(reply.text)).toEqual({ code: "Nothing in the given texts answers this." });
});

test("a quote is always in the material, word for word, whatever the material is", async () => {
  const texts: string[] = [];
  assert(
    property(
      array(
        constantFrom(
          "The ledger",
          " keeps",
          " an entry",
          ". ",
          "\n",
          "\n\n",
          " (see e.g. below)",
          "; ",
          " crash",
          "? ",
        ),
        { minLength: 3, maxLength: 40 },
      ),
      (parts) => {
        texts.push(parts.join(""));
      },
    ),
    { numRuns: 200, seed: 3 },
  );
  for (const text of texts) {
    const { findings } = await answer(
      toTask({ question: "ledger entry crash", passages: [{ source: "s", text }] }),
      Findings,
    );
    for (const { quote } of findings) expect(text.replaceAll(/\s+/g, " ")).toContain(quote);
  }
});

test("material made to be slow is answered from in moments", async () => {
  for (const part of [".", "a", " ", "\n", "a.b@", "1,", "https://", "Ledger crash. ", "```", "{", '"']) {
    const before = performance.now();
    const text = part.repeat(100_000 / part.length);
    await answer(
      toTask({ question: "ledger crash", passages: [{ source: "s", text }] }),
      Findings.extend({ by: z.email() }),
    );
    await generate([{ role: "user", text }], Findings);
    expect(performance.now() - before).toBeLessThan(5_000);
  }
});

test("any conversation is answered, also one that is not JSON, is empty or goes on after a mistake", async () => {
  const texts: string[] = ["", "{", "```json\n[1]\n```", "{}", "null"];
  assert(
    property(string({ unit: "binary", maxLength: 300 }), (text) => {
      texts.push(text);
    }),
    { numRuns: 100, seed: 5 },
  );
  for (const text of texts) {
    const reply = await generate(
      [
        { role: "user", text },
        { role: "assistant", text: "?", toolCalls: [] },
        { role: "user", text: "Not JSON." },
      ],
      Findings,
    );
    expect(Findings.safeParse(JSON.parse(reply.text)).success).toBe(true);
  }
});
