import type { ReactNode } from "react";
import type { ShownPackage } from "tutti/client";

import { Told, ToldBlock } from "../parts/told.tsx";
import { toText } from "../text/visible.ts";

/** What would be done, as the engine says it. */
export function Action({ action }: { readonly action: NonNullable<ShownPackage["action"]> }): ReactNode {
  const { does, input, changes, preview, previewProblem } = action;
  return (
    <section className="stack" aria-label="What would be done">
      <p>
        <Told text={does} /> <Told text={changes} className="muted" />
      </p>
      {preview === undefined ? null : isChange(preview) ? (
        <div className="in-out">
          <div>
            <h3>Before</h3>
            <ToldBlock text={preview.before} label="Before" />
          </div>
          <div>
            <h3>After</h3>
            <ToldBlock text={preview.after} label="After" />
          </div>
        </div>
      ) : (
        <ToldBlock text={toText(preview)} label="What it would look like" />
      )}
      {previewProblem === undefined ? null : (
        <p className="muted">
          No preview: <Told text={previewProblem} />
        </p>
      )}
      <ToldBlock text={toLines(input)} label="Input" />
    </section>
  );
}

function isChange(preview: unknown): preview is { readonly before: string; readonly after: string } {
  return (
    typeof preview === "object" &&
    preview !== null &&
    "before" in preview &&
    "after" in preview &&
    typeof preview.before === "string" &&
    typeof preview.after === "string"
  );
}

/** JSON on lines, where it is JSON. */
function toLines(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), undefined, 2);
  } catch {
    return input; // it was cut, or is no JSON: then it is shown as it came
  }
}
