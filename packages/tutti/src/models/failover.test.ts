import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { TuttiError } from "../base/errors.ts";
import type { Model, ModelDelta, ModelReply, ModelRequest } from "../contracts/model.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { failover } from "./failover.ts";

const request: ModelRequest = {
  messages: [{ role: "user", text: "?" }],
  tools: [],
  answer: { name: "answer", schema: {} },
};
const usage = { modelCalls: 1, inputTokens: 8, outputTokens: 4, costUsd: 0.25 };

type Act = ErrorCode | TuttiError | "answers";

function actor(id: string, act: Act, asked: string[] = []): Model {
  return {
    provider: "stage",
    id,
    generate: async (_request, _signal, watch) => {
      asked.push(id);
      if (act !== "answers") throw typeof act === "string" ? new TuttiError(act, `${id} can't`) : act;
      watch?.({ kind: "text", text: `by ${id}` });
      return { text: `by ${id}`, toolCalls: [], usage };
    },
  };
}

function ask(model: Model, signal = new AbortController().signal, watch?: (delta: ModelDelta) => void) {
  return model.generate(request, signal, watch);
}

test(
  "the next model is asked when one can't, and the reply says who answered and who was passed over",
  verifies("M3"),
  async () => {
    const deltas: ModelDelta[] = [];
    const model = failover([
      actor("a", "MODEL_UNAVAILABLE"),
      actor("b", "MODEL_REFUSED"),
      actor("c", "answers"),
      actor("d", "answers"),
    ]);
    expect(await ask(model, undefined, (delta) => deltas.push(delta))).toEqual({
      text: "by c",
      toolCalls: [],
      provider: "stage",
      modelId: "c",
      usage,
      passedOver: [
        { model: "stage/a", code: "MODEL_UNAVAILABLE", why: "a can't" },
        { model: "stage/b", code: "MODEL_REFUSED", why: "b can't" },
      ],
    });
    expect(deltas).toEqual([{ kind: "text", text: "by c" }]);
    expect(await ask(failover([actor("a", "answers")]))).not.toHaveProperty("passedOver");
  },
);

test(
  "what a failed call cost is counted with the one that answered, and in the error when none does",
  verifies("M3", "M4"),
  async () => {
    const paid = new TuttiError("MODEL_ANSWER_INVALID", "cut off", { facts: { ...usage } });
    const twice = { modelCalls: 2, inputTokens: 16, outputTokens: 8, costUsd: 0.5 };
    expect((await ask(failover([actor("a", paid), actor("b", "answers")]))).usage).toEqual(twice);
    await expect(ask(failover([actor("a", paid), actor("b", paid)]))).rejects.toMatchObject({ facts: twice });
    // A failover of failovers counts the same.
    expect(
      (await ask(failover([failover([actor("a", paid), actor("b", paid)]), actor("c", "answers")]))).usage,
    ).toMatchObject({ modelCalls: 3, costUsd: 0.75 });
  },
);

const codes = ["MODEL_UNAVAILABLE", "MODEL_RATE_LIMITED", "MODEL_REFUSED", "MODEL_ANSWER_INVALID"] as const;

test(
  "the first that can answers, nobody after it is asked, and without one the error gives hope if any model does",
  verifies("M3"),
  async () => {
    const acts = fc.array(fc.constantFrom<Act>(...codes, "answers"), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(acts, async (given) => {
        const asked: string[] = [];
        const model = failover(given.map((act, index) => actor(String(index), act, asked)));
        const first = given.indexOf("answers");
        const ended = await ask(model).catch((error: unknown) => error);
        expect(asked).toEqual((first < 0 ? given : given.slice(0, first + 1)).map((_, index) => String(index)));
        const retried = given.some((act) => act === "MODEL_UNAVAILABLE" || act === "MODEL_RATE_LIMITED");
        const last = { disposition: retried ? "retry" : "give-up" };
        expect(ended).toMatchObject(first < 0 ? last : { modelId: String(first) });
      }),
    );
  },
);

test("when all ask to wait, the shortest wait is what counts", verifies("M3", "D5"), async () => {
  const waits = [9_000, 4_000].map((retryAfterMs) => new TuttiError("MODEL_RATE_LIMITED", "wait", { retryAfterMs }));
  const failed = ask(failover(waits.map((wait, index) => actor(String(index), wait))));
  await expect(failed).rejects.toMatchObject({ code: "MODEL_RATE_LIMITED", retryAfterMs: 4_000 });
});

test(
  "any other error ends it: another model would not help, or the question is no longer asked",
  verifies("M3"),
  async () => {
    for (const code of ["MODEL_FORBIDDEN", "RUN_CANCELLED", "STEP_TIMEOUT", "BUG"] as const) {
      const asked: string[] = [];
      await expect(ask(failover([actor("a", code, asked), actor("b", "answers", asked)]))).rejects.toMatchObject({
        code,
      });
      expect(asked).toEqual(["a"]);
    }
    const asked: string[] = [];
    const gone = AbortSignal.abort(new TuttiError("RUN_CANCELLED", "cancelled"));
    const model = failover([actor("a", "MODEL_UNAVAILABLE", asked), actor("b", "answers", asked)]);
    await expect(ask(model, gone)).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
    expect(asked).toEqual(["a"]);
    expect(() => failover([])).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
  },
);

test(
  "a silent model is left after a while, for the next; the last one may take the time that the step has",
  verifies("M3"),
  async () => {
    const clock = openManualClock();
    const left: unknown[] = [];
    const silent: Model = {
      provider: "stage",
      id: "silent",
      generate: (_request, signal) =>
        new Promise<ModelReply>((_, reject) => {
          signal.addEventListener("abort", () => {
            left.push(signal.reason);
            reject(new Error("aborted, in words of its own"));
          });
        }),
    };
    const asked = ask(failover([silent, actor("b", "answers")], { patienceMs: 5_000, clock }));
    await clock.advance(4_999);
    expect(left).toEqual([]);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      modelId: "b",
      passedOver: [{ model: "stage/silent", code: "MODEL_UNAVAILABLE", why: "stage/silent did not answer in 5000 ms" }],
    });
    const over = new AbortController();
    const last = ask(failover([actor("a", "MODEL_REFUSED"), silent], { clock }), over.signal);
    await clock.advance(3_600_000);
    over.abort(new TuttiError("STEP_TIMEOUT", "over"));
    await expect(last).rejects.toThrow("aborted, in words of its own");
    // Whoever answers leaves no timer behind.
    await ask(failover([actor("a", "answers"), silent], { clock }));
    expect(clock.due).toEqual([]);
  },
);
