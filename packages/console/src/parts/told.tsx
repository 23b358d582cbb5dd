import type { ReactNode } from "react";

import { toVisible } from "../text/visible.ts";

/** Text of agents, tools and the world. It is only ever text: nothing in it is read as HTML, and nothing in it hides. */
export function Told({ text, className }: { readonly text: string; readonly className?: string }): ReactNode {
  return <bdi className={className}>{toVisible(text)}</bdi>;
}

/** The same over several lines; a long one is cut, and can be opened. */
export function ToldBlock({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const isLong = text.length > shortMax;
  const shown = toVisible(text.slice(0, shownMax));
  const rest = text.length > shownMax ? `\n… ${text.length - shownMax} more characters are in the ledger` : "";
  if (!isLong) return <pre className="told">{shown}</pre>;
  return (
    <details className="told-long">
      <summary>
        <span>{label}</span> <span className="muted">{text.length.toLocaleString("en")} characters</span>
        <pre className="told">{toVisible(text.slice(0, shortMax))}…</pre>
      </summary>
      <pre className="told">
        {shown}
        {rest}
      </pre>
    </details>
  );
}

const shortMax = 400;
/** No more than this of one value is ever drawn. */
const shownMax = 65_536;
