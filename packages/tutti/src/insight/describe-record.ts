import type { BodyOf } from "../contracts/entry.ts";

/** A count of votes in one sentence, with who dissented and why. */
export function describeVotes(body: BodyOf<"votes-counted">): string {
  const asked = body.votes.length + body.silent.length;
  const dissent = body.votes.filter((vote) => !vote.agrees);
  const told = dissent.map(({ voter, reason }) => (reason === undefined ? voter : `${voter} (${reason})`)).join(", ");
  const silent = body.silent.map(({ voter, code }) => `${voter} (${code})`).join(", ");
  const end =
    body.outcome === "split"
      ? `the answers of ${asked} voters did not come together`
      : `${body.votes.length - dissent.length} of ${asked} voters agreed`;
  return [
    `by ${body.rule}, ${end}`,
    body.outcome === "split" || told === "" ? "" : `; against it: ${told}`,
    silent === "" ? "" : `; no answer from ${silent}`,
    body.reason === undefined ? "" : `: ${body.reason}`,
  ].join("");
}

/** Who told whom. */
export function describeMessage({ from, to, intent, bytes, note }: BodyOf<"message-sent">): string {
  return `${from} to ${to}: ${intent}${note === undefined ? "" : `: ${note}`} (${bytes} bytes)`;
}

/** What was chosen, and what was not. */
export function describeDecision({ about, chosen, why, alternatives = [] }: BodyOf<"decision-made">): string {
  const others = alternatives.map((each) => `${each.name} (${each.why})`).join(", ");
  return `${about}: ${chosen}, because ${why}${others === "" ? "" : `; not ${others}`}`;
}

/** How an approval ended, in one sentence without a full stop. */
export function describeDecided({ state, by, why }: BodyOf<"approval-decided">): string {
  const who = by === undefined ? "" : ` by ${by}`;
  return `${state}${who}${why === undefined ? "" : `: ${why}`}`;
}
