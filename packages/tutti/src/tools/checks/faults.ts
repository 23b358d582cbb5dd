import type { Verdict } from "../../contracts/terms.ts";

const toldMax = 3;
const charactersMax = 120;

/** What a check answers: that nothing is wrong, or the first faults in words and how many more there are. */
export function toVerdict(faults: readonly string[]): Verdict {
  if (faults.length === 0) return true;
  const more = faults.length - toldMax;
  return faults.slice(0, toldMax).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Text of an agent, short enough to stand in a sentence of ours. */
export function toShown(text: string): string {
  const line = text.replaceAll(/\s+/gu, " ").trim();
  return JSON.stringify(line.length <= charactersMax ? line : `${line.slice(0, charactersMax)}…`);
}
