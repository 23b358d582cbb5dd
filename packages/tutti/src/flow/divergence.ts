import { TuttiError } from "../base/errors.ts";
import type { Wait } from "./driver.ts";
import type { Delivered } from "./history.ts";

/** The ledger's next record is one that the code does not ask for. */
export function toUnaskedRecord(
  item: Delivered,
  code: { readonly asked: readonly string[]; readonly waits: ReadonlySet<Wait>; readonly ended: boolean },
): TuttiError {
  const { asked } = code;
  const waits = [...code.waits].map((wait) => `a ${wait.kind}`).join(", ");
  const wanted = asked.length > 0 ? asked.join(", ") : code.ended ? "nothing more: it has ended" : waits;
  return new TuttiError(
    "FLOW_DIVERGED",
    `the ledger's next record is ${item.kind} ${item.key} (entry ${item.seq}); the code asks for ${wanted === "" ? "a new step" : wanted}`,
    {
      hint: "The flow's code changed while this run was open. Register the old version beside the new one, or fork the run.",
      facts: { seq: item.seq, recorded: item.key, asked: [...asked] },
    },
  );
}
