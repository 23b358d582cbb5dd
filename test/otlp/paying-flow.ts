import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { anything, plainFlow } from "../engine/engine-fixture.ts";

const pay = tool({
  name: "bank.pay",
  does: "Pays.",
  input: anything,
  output: anything,
  effect: "once",
  key: () => "7",
  run: () => {
    throw new TuttiError("TOOL_INTERRUPTED", "nobody knows");
  },
});

/** Pays, and nobody knows whether it was paid. */
export const paying = plainFlow("paying", (run) => run.call(pay, {}));
