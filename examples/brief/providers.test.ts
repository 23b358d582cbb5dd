import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import {
  openProviderServer,
  type ProviderAnswer,
  type ProviderRequest,
  type ProviderServer,
} from "../../packages/tutti/src/testing/provider-server.ts";
import { responsesWire, type Said } from "../../packages/tutti/src/testing/wire-answers.ts";
import { verifies } from "../../test/verifies.ts";
import { given, openDesk, quotesIn, said, type Desk } from "./desk.ts";

let server: ProviderServer | undefined;
let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await desk.close();
});

/** The OpenAI Responses API, played by functions: one answer for each role. */
const Body = z.object({
  model: z.string(),
  stream: z.boolean().optional(),
  input: z.array(z.looseObject({ role: z.string().optional(), type: z.string().optional() })),
});

type Played = Said | ProviderAnswer;

function answerOf(content: unknown): Said {
  return { text: JSON.stringify(content) };
}

function callOf(name: string, input: unknown): Said {
  return { calls: [{ id: "call_1", name, input }] };
}

/** At once, or as a stream where that is asked for: whoever watches the run gets words as they come. */
function toWire(words: Said, { body }: ProviderRequest): ProviderAnswer {
  if (Body.parse(body).stream === true) return { kind: "events", events: responsesWire.events(words).map(named) };
  return { kind: "answer", body: JSON.parse(named(JSON.stringify(responsesWire.answer(words)))) };
}

/** As the model says its name that was asked for. */
function named(text: string): string {
  return text.replaceAll("wire-model-1", "gpt-test");
}

function roleOf(request: ProviderRequest): string {
  return /You are (\w+)\./.exec(JSON.stringify(request.body))?.[1] ?? "";
}

const trueQuote = { quote: said[1], source: "library/speed.txt" };
const falseQuote = { quote: "Ledgers are faster than light.", source: "library/speed.txt" };

/** A whole crew; the writer uses the false quote as long as `writesFalsely` says so. */
function playCrew(request: ProviderRequest, writesFalsely: (corrections: string) => boolean): Said {
  const text = JSON.stringify(request.body);
  const calls = Body.parse(request.body).input.some((item) => item.type === "function_call_output");
  switch (roleOf(request)) {
    case "planner":
      return answerOf({ questions: ["How fast are ledgers?", "What do they cost?"] });
    case "researcher":
      return answerOf({
        findings: text.includes("How fast") ? [{ claim: "The disk sets the pace.", ...trueQuote }] : [],
      });
    case "writer": {
      const paragraph = writesFalsely(text)
        ? { text: "They are very fast.", ...falseQuote }
        : { text: "The disk sets the pace.", ...trueQuote };
      const second = { text: "And again.", ...trueQuote };
      return answerOf({
        title: "Ledgers",
        summary: "Fast.",
        sections: [{ heading: "Speed", paragraphs: [paragraph, second] }],
        note: "Written by a test.",
      });
    }
    case "illustrator":
      return answerOf({ by: "question", reason: "One answer." });
    default: {
      if (!calls)
        return callOf("quotes_check", {
          quotes: [text.includes("faster than light") ? falseQuote : trueQuote, trueQuote],
        });
      const problems =
        text.includes('word for word.\\\\\\"') || /\\"approved\\":false/.test(text)
          ? [{ ...falseQuote, reason: "The source does not say this, word for word." }]
          : [];
      return answerOf({ approved: problems.length === 0, problems });
    }
  }
}

async function withProvider(
  answer: (request: ProviderRequest, index: number) => Played,
): Promise<Readonly<Record<string, string>>> {
  server = await openProviderServer((request, index) => {
    const played = answer(request, index);
    return "kind" in played ? played : toWire(played, request);
  });
  return {
    OPENAI_API_KEY: "sk-test-4711abcdefghijklmnop",
    OPENAI_BASE_URL: `${server.url}/v1`,
    TUTTI_MODEL: "gpt-test",
  };
}

test(
  "with a key the same command uses that provider, and a false quote is sent back to the writer with the reason",
  verifies("C14", "M3"),
  async () => {
    const environment = await withProvider((request) =>
      playCrew(request, (text) => !text.includes("does not say this")),
    );
    const played = await desk.play(given, { environment });
    expect(played.err).toContain("gpt-test, because OPENAI_API_KEY is set");
    expect(played.code).toBe(0);
    const page = await desk.readPage(played);
    expect(quotesIn(page)).toEqual([said[1], said[1]]);
    expect(page).toContain("openai/gpt-test");
    expect(page).toContain("What do they cost?");
    const corrections = server?.requests
      .filter((request) => roleOf(request) === "writer")
      .map((request) => JSON.stringify(request.body));
    expect(corrections).toHaveLength(2);
    expect(corrections?.[1]).toContain("The source does not say this, word for word.");
  },
);

test(
  "a writer who insists on a false quote is not printed: the quote is left out, and the page says so",
  verifies("C14", "G2"),
  async () => {
    const environment = await withProvider((request) => playCrew(request, () => true));
    const page = await desk.readPage(await desk.play(given, { environment }));
    expect(quotesIn(page)).toEqual([said[1]]);
    expect(page).toMatch(/A quote was left out: “Ledgers are faster than light.”.*The source does not say this/s);
    expect(server?.requests.filter((request) => roleOf(request) === "writer")).toHaveLength(3);
  },
);

test("a question whose research fails does not spoil the page, and is named on it", verifies("C2", "D8"), async () => {
  const environment = await withProvider((request) => {
    const text = JSON.stringify(request.body);
    if (roleOf(request) === "planner") {
      return answerOf({ questions: ["How fast are ledgers?", "What do they cost?", "Who broke them?"] });
    }
    if (roleOf(request) === "researcher" && text.includes("Who broke them?")) return answerOf("no findings, no sense");
    return playCrew(request, () => false);
  });
  const played = await desk.play(given, { environment });
  expect(played.code).toBe(0);
  const page = await desk.readPage(played);
  expect(page).toMatch(/Who broke them\?\s*<span class="why">The research failed/);
  expect(page).toMatch(/What do they cost\?\s*<span class="why">No document answers it/);
});

test("when no quote of a draft stands in its source, nothing of the draft is printed", verifies("G2"), async () => {
  const environment = await withProvider((request) => {
    const falsely = JSON.stringify(playCrew(request, () => true)).replaceAll(said[1] ?? "", falseQuote.quote);
    const answer: Said = JSON.parse(falsely);
    return roleOf(request) === "writer" ? answer : playCrew(request, () => true);
  });
  const page = await desk.readPage(await desk.play(given, { environment }));
  expect(page).toContain("No statement about this stood up to the check of its quote.");
  expect(quotesIn(page)).toEqual([]);
  expect(page).not.toContain("They are very fast.");
});

test("a wrong key is one clear error, at once, and the key is nowhere", verifies("K4", "G10"), async () => {
  const environment = await withProvider(() => ({
    kind: "answer",
    status: 401,
    body: { error: { message: "Incorrect API key provided: sk-test-4711abcdefghijklmnop" } },
  }));
  const played = await desk.play(given, { environment });
  expect(played).toMatchObject({ code: 1, out: "" });
  expect(played.err).toContain(
    "✗ openai did not accept the key (401) (MODEL_REFUSED)\n  Check the environment variable OPENAI_API_KEY.",
  );
  expect(server?.requests).toHaveLength(1);
  expect(played.err).not.toContain("4711");
  for (const { entries } of await desk.readRuns())
    expect(entries.map((entry) => entry.body).join()).not.toContain("4711");
});

test("a provider that asks to wait is waited for", verifies("D5"), async () => {
  const environment = await withProvider((request, index) =>
    index === 0
      ? { kind: "answer", status: 429, headers: { "retry-after-ms": "30" }, body: { error: { message: "Slow down" } } }
      : playCrew(request, () => false),
  );
  expect((await desk.play(given, { environment })).code).toBe(0);
});

test(
  "a provider with a fault of its own is tried a few times, then it is one clear error",
  verifies("D5", "K4"),
  async () => {
    const environment = await withProvider(() => ({
      kind: "answer",
      status: 500,
      body: { error: { message: "The server had an error" } },
    }));
    const played = await desk.play(given, { environment });
    expect(played).toMatchObject({ code: 1, out: "" });
    expect(played.err).toContain("✗ openai has a fault of its own (500): The server had an error (MODEL_UNAVAILABLE)");
    expect(server?.requests).toHaveLength(4);
  },
);
