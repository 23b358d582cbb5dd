import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, errorOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { must } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import { withFailover } from "./failover.ts";
import type { Provider } from "./provider.ts";

interface Page {
  readonly slug: string;
}
interface Place {
  readonly url: string;
}
type Publisher = Provider<Page, Place>;

const base = {
  name: "page.publish",
  does: "Publishes a page.",
  input: z.object({ slug: z.string() }),
  output: z.object({ url: z.string() }),
  effect: "once",
  key: ({ slug }: Page) => slug,
  retry: { attemptsMax: 3, delayMs: 0 },
} as const;

function toPublish(providers: readonly Publisher[]): Tool<Page, Place> {
  return withFailover<Page, Place>({ ...base, providers });
}

const away = (name: string): Publisher => ({
  name,
  check: () => undefined,
  undo: () => {},
  run() {
    throw new TuttiError("TOOL_UNAVAILABLE", `${name} is away`);
  },
});

const behaviours = [
  "does it",
  "refuses",
  "is away",
  "breaks before it did it",
  "breaks after it did it",
  "says that it did it, and fails",
  "does it, and returns nonsense",
  "dies before it did it",
  "dies after it did it",
] as const;
type Behaviour = (typeof behaviours)[number];

interface Character {
  /** What it does when it is asked, time by time; after that it refuses. */
  readonly behaviours: readonly Behaviour[];
  readonly check: "honest" | "can't tell" | "missing";
}

/** What really happened, whatever the ledger says. */
interface World {
  readonly doneBy: string[];
  die(): Promise<never>;
}

function toPublisher(name: string, character: Character, world: World): Publisher {
  let calls = 0;
  const act = (): Place => {
    world.doneBy.push(name);
    return { url: `https://${name}.example` };
  };
  return {
    name,
    run() {
      const behaviour = character.behaviours[calls++] ?? "refuses";
      switch (behaviour) {
        case "does it":
          return act();
        case "refuses":
          throw new TuttiError("TOOL_REFUSED", "no");
        case "is away":
          throw new TuttiError("TOOL_UNAVAILABLE", "not now");
        case "breaks before it did it":
          throw new Error("the line broke");
        case "breaks after it did it":
          act();
          throw new TuttiError("TOOL_INTERRUPTED", "the line broke");
        case "says that it did it, and fails":
          act();
          throw new TuttiError("TOOL_FAILED", "done, but", { effect: "done" });
        case "does it, and returns nonsense":
          act();
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a provider that breaks its contract
          return { place: name } as unknown as Place;
        case "dies before it did it":
          return world.die();
        case "dies after it did it":
          act();
          return world.die();
      }
    },
    ...(character.check === "missing" ? {} : { check: () => toChecked(name, character, world) }),
  };
}

function toChecked(name: string, { check }: Character, { doneBy }: World): Place | undefined {
  if (check === "can't tell") throw new Error("no idea");
  return doneBy.includes(name) ? { url: `https://${name}.example` } : undefined;
}

const livesMax = 12;

/** Runs a flow that publishes one page, in as many lives of the process as it takes. */
async function publishOnce(characters: readonly Character[]): Promise<void> {
  const stage = openStage();
  let died = Promise.withResolvers<"died">();
  const world: World = {
    doneBy: [],
    die() {
      died.resolve("died");
      return new Promise(() => {});
    },
  };
  const publish = toPublish(characters.map((character, index) => toPublisher(`p${index}`, character, world)));
  const flow = plainFlow("publishing", (run) => run.call(publish, { slug: "home" }));
  let ended: string = "died";
  for (let life = 0; ended === "died" && life < livesMax; life++) {
    died = Promise.withResolvers();
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    ended = await Promise.race([run.settled().then((state) => state.kind), died.promise]);
  }
  await stage.ledger.flush();
  expect(world.doneBy.length).toBeLessThanOrEqual(1);
  const settled = bodiesOf(stage.entries, "effect-settled");
  // What happened is known, or visible as in doubt.
  const known = settled.length === 0 && ended === "in-doubt" ? [] : world.doneBy;
  expect(settled.map((body) => body.report?.provider)).toEqual(known);
}

test(
  "never do two providers act for one call, whatever they do and wherever the process dies",
  verifies("K3", "D3"),
  async () => {
    const character = fc.record<Character>({
      behaviours: fc.array(fc.constantFrom(...behaviours), { maxLength: 4 }),
      check: fc.constantFrom("honest", "honest", "can't tell", "missing"),
    });
    await fc.assert(fc.asyncProperty(fc.array(character, { minLength: 1, maxLength: 4 }), publishOnce), {
      numRuns: 150,
    });
  },
);

test("another provider acts when the first certainly did nothing, and the ledger says so", verifies("K3"), async () => {
  const stage = openStage();
  const second: Publisher = { ...away("second"), run: () => ({ url: "https://second.example" }) };
  const publish = toPublish([away("first"), second]);
  const flow = plainFlow("publishing", (run) => run.call(publish, { slug: "home" }));
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toEqual({ url: "https://second.example" });
  expect(bodiesOf(stage.entries, "effect-settled")).toEqual([
    expect.objectContaining({
      by: "tool",
      report: { provider: "second", tried: [{ provider: "first", code: "TOOL_UNAVAILABLE" }] },
    }),
  ]);
});

test(
  "nobody else is asked when the first may have acted: its check settles it, or a person",
  verifies("K3", "D3"),
  async () => {
    const stage = openStage();
    const breaks: Publisher = {
      ...away("first"),
      run() {
        throw new TuttiError("TOOL_INTERRUPTED", "the line broke");
      },
      check() {
        throw new Error("no idea");
      },
    };
    const never: Publisher = {
      ...away("second"),
      run() {
        throw new Error("it was asked all the same");
      },
    };
    const publish = toPublish([breaks, never]);
    const flow = plainFlow("publishing", (run) => run.call(publish, { slug: "home" }));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    expect((await run.settled()).kind).toBe("in-doubt");
    await stage.ledger.flush();
    expect(bodiesOf(stage.entries, "effect-in-doubt")).toMatchObject([
      { error: { code: "TOOL_INTERRUPTED" }, report: { provider: "first" } },
    ]);
  },
);

test(
  "what was done is taken back by the provider that did it, also after a crash or a person's word",
  verifies("D6"),
  async () => {
    const undone: string[] = [];
    const toUndoing = (name: string, run: Publisher["run"]): Publisher => ({
      name,
      run,
      undo: ({ url }, { input, doneBy }) =>
        void undone.push(`${name} takes back ${url} of ${input.slug}, done by ${doneBy}`),
    });
    const stage = openStage();
    const publish = toPublish([
      toUndoing("first", () => {
        throw new TuttiError("TOOL_UNAVAILABLE", "away");
      }),
      toUndoing("second", ({ slug }) => {
        if (slug === "unclear") throw new Error("the line broke");
        return { url: `https://second.example/${slug}` };
      }),
    ]);
    const flow = plainFlow(
      "publishing",
      async (run) => {
        await run.call(publish, { slug: "clear" });
        await run.call(publish, { slug: "unclear" });
        throw new Error("the rest failed");
      },
      { onFailure: "undo" },
    );
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await run.settled();
    const [doubt] = await tutti.inDoubt();
    const output = { url: "https://second.example/seen" };
    await tutti.settle(must(doubt, "one is in doubt").key, { kind: "done", output, by: "ben" });
    await errorOf(run.result());
    expect(undone).toEqual([
      "second takes back https://second.example/seen of unclear, done by second",
      "second takes back https://second.example/clear of clear, done by second",
    ]);
  },
);

test("an undo whose doer nobody knows is not guessed: the run is parked", async () => {
  const publish = toPublish([away("first"), away("second")]);
  const host = { doneBy: "somebody else", input: { slug: "home" } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of the host is not looked at
  const undoing = Promise.resolve(publish.undo?.({ url: "https://nowhere" }, host as never));
  expect(await errorOf(undoing)).toMatchObject({ code: "UNDO_IMPOSSIBLE" });
});
