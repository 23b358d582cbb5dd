import { describeThrown, TuttiError } from "../base/errors.ts";
import type { Guarantee, NeedHost, Precondition, Verdict } from "../contracts/terms.ts";

/** One condition, ready to be asked. */
interface Asked {
  readonly name: string;
  ask(): Verdict | Promise<Verdict>;
}

interface Complaint {
  readonly name: string;
  readonly reason: string | undefined;
}

/**
 * Asks what must hold before a call, in order; at once where all answer at once.
 * @throws TuttiError PRECONDITION_FAILED
 */
export function checkNeeds(
  callable: { readonly name: string; readonly needs?: readonly Precondition[] | undefined },
  input: unknown,
  host: NeedHost,
): void | Promise<void> {
  if (callable.needs === undefined || callable.needs.length === 0) return undefined;
  const found = findComplaint(
    callable.needs.map((need): Asked => ({ name: need.name, ask: () => need.check(input, host) })),
  );
  const take = (complaint: Complaint | undefined): void => {
    if (complaint === undefined) return;
    throw new TuttiError("PRECONDITION_FAILED", `${callable.name} may not be called: ${sayComplaint(complaint)}`, {
      hint: "Make it hold first, or do something else.",
      facts: { callable: callable.name, need: complaint.name },
    });
  };
  return found instanceof Promise ? found.then(take) : take(found);
}

/** The first guarantee that an output breaks, in words; `undefined` when it keeps all. */
export function findBreach(
  guarantees: readonly Guarantee[],
  output: unknown,
  input: unknown,
): string | undefined | Promise<string | undefined> {
  const found = findComplaint(
    guarantees.map((guarantee): Asked => ({ name: guarantee.name, ask: () => guarantee.check(output, input) })),
  );
  return found instanceof Promise ? found.then(sayIfAny) : sayIfAny(found);
}

function sayIfAny(complaint: Complaint | undefined): string | undefined {
  return complaint === undefined ? undefined : sayComplaint(complaint);
}

function sayComplaint(complaint: Complaint): string {
  const { name, reason } = complaint;
  return reason === undefined ? `"${name}" does not hold` : `"${name}" does not hold: ${reason}`;
}

/**
 * The output, once it is known to keep what the tool ensures; at once where everything answers at once.
 * @throws TuttiError OUTPUT_INVALID
 */
export function ensure<Output>(
  callable: { readonly name: string; readonly ensures?: readonly Guarantee[] | undefined },
  output: Output,
  input: unknown,
): Output | Promise<Output> {
  if (callable.ensures === undefined || callable.ensures.length === 0) return output;
  const take = (breach: string | undefined): Output => {
    if (breach === undefined) return output;
    throw toBreachError(callable.name, breach);
  };
  const found = findBreach(callable.ensures, output, input);
  return found instanceof Promise ? found.then(take) : take(found);
}

export function toBreachError(callable: string, breach: string): TuttiError {
  return new TuttiError("OUTPUT_INVALID", `the output of ${callable} breaks a guarantee: ${breach}`, {
    facts: { callable },
  });
}

function findComplaint(conditions: readonly Asked[]): Complaint | undefined | Promise<Complaint | undefined> {
  for (const [index, condition] of conditions.entries()) {
    const verdict = ask(condition);
    if (verdict instanceof Promise) return finishLater(verdict, conditions.slice(index));
    if (verdict !== true) return toComplaint(condition, verdict);
  }
  return undefined;
}

async function finishLater(first: Promise<Verdict>, conditions: readonly Asked[]): Promise<Complaint | undefined> {
  for (const [index, condition] of conditions.entries()) {
    const verdict = await (index === 0 ? first : ask(condition));
    if (verdict !== true) return toComplaint(condition, verdict);
  }
  return undefined;
}

function toComplaint({ name }: Asked, verdict: Verdict): Complaint {
  return { name, reason: typeof verdict === "string" && verdict !== "" ? verdict : undefined };
}

function ask(condition: Asked): Verdict | Promise<Verdict> {
  try {
    const answer: unknown = condition.ask();
    return answer instanceof Promise ? answer.then(toVerdict, toUntold) : toVerdict(answer);
  } catch (thrown) {
    return toUntold(thrown);
  }
}

// What can't be told does not hold.
function toUntold(thrown: unknown): Verdict {
  return `it can't be told: ${describeThrown(thrown)}`;
}

// Plain JavaScript may answer with anything: only `true` is a yes.
function toVerdict(answer: unknown): Verdict {
  return answer === true || typeof answer === "string" ? answer : false;
}
