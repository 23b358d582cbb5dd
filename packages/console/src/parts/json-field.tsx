import { useId, type ReactNode } from "react";

interface JsonFieldProps {
  readonly label: string;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly problem: string | undefined;
}

/** A value as JSON, written by a person. */
export function JsonField({ label, text, setText, problem }: JsonFieldProps): ReactNode {
  const id = useId();
  return (
    <label>
      {label}
      <textarea
        className="mono"
        rows={Math.min(16, Math.max(4, text.split("\n").length + 1))}
        value={text}
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : id}
        onChange={({ target }) => setText(target.value)}
      />
      {problem === undefined ? null : (
        <span id={id} className="field-problem">
          {problem}
        </span>
      )}
    </label>
  );
}

export function readJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
