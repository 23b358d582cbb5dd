import type { ReactNode } from "react";

import { Problem } from "./notices.tsx";

export interface FormEndProps {
  readonly error: Parameters<typeof Problem>[0]["error"] | undefined;
  /** What the one button does, and whether it can be undone as easily as it is pressed. */
  readonly label: ReactNode;
  readonly kind?: "main" | "danger";
  readonly disabled: boolean;
  readonly close: () => void;
}

/** How every form of a dialog ends: what went wrong, the button that sends it, and the way out. */
export function FormEnd({ error, label, kind = "main", disabled, close }: FormEndProps): ReactNode {
  return (
    <>
      {error === undefined ? null : <Problem error={error} />}
      <div className="row">
        <button type="submit" className={kind} disabled={disabled}>
          {label}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </>
  );
}
