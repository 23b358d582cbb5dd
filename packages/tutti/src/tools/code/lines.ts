import { codeLimits } from "./code-provider.ts";

/** What a program printed, cut at the limits of lines. */
export interface Lines {
  /** A piece of one of its streams; a line may come in several. */
  add(stream: object, piece: string): void;
  close(): { readonly lines: readonly string[]; readonly linesDropped: number };
}

export function openLines(): Lines {
  const lines: string[] = [];
  const restByStream = new Map<object, string>();
  let linesDropped = 0;
  const push = (line: string): void => {
    if (lines.length < codeLimits.consoleLinesMax) lines.push(line.slice(0, codeLimits.consoleLineCharsMax));
    else linesDropped += 1;
  };
  return {
    add(stream, piece) {
      const [first = "", ...more] = piece.split("\n");
      // Of a line without an end only its beginning is kept.
      let rest = `${restByStream.get(stream) ?? ""}${first}`.slice(0, codeLimits.consoleLineCharsMax);
      for (const next of more) {
        push(rest);
        rest = next.slice(0, codeLimits.consoleLineCharsMax);
      }
      restByStream.set(stream, rest);
    },
    close() {
      for (const rest of restByStream.values()) if (rest !== "") push(rest);
      return { lines, linesDropped };
    },
  };
}
