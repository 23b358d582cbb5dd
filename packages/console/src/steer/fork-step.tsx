import { useState, type ReactNode } from "react";

import { useKeys } from "../data/keys.ts";
import { useRemote } from "../data/remote.ts";
import { useRights } from "../data/session.ts";
import { toText } from "../text/visible.ts";
import { ForkForm } from "./fork-form.tsx";

const entriesMax = 50;

/** Offers to go on from a step in another way; begins with what the step returned. */
export function ForkStep({ run, step }: { readonly run: string; readonly step: string }): ReactNode {
  const { maySteer } = useRights();
  const [isOpen, setOpen] = useState(false);
  const entries = useRemote(
    "listRunEntries",
    isOpen ? { params: { run }, query: { key: step, limit: entriesMax } } : undefined,
  );
  useKeys(maySteer ? [{ key: "f", does: "Fork from the step that is open", run: () => setOpen(true) }] : []);
  const out = entries.value?.entries.findLast(({ key, body }) => key === step && hasOutput(body))?.body;
  return (
    <>
      <button type="button" disabled={!maySteer} onClick={() => setOpen(true)}>
        Fork from here <kbd>f</kbd>
      </button>
      {isOpen && (entries.value !== undefined || entries.error !== undefined) ? (
        <ForkForm
          run={run}
          step={step}
          before={hasOutput(out) ? toText(JSON.stringify(out.out, undefined, 2)) : ""}
          close={() => setOpen(false)}
        />
      ) : null}
    </>
  );
}

function hasOutput(body: unknown): body is { readonly out: unknown } {
  return typeof body === "object" && body !== null && "out" in body;
}
