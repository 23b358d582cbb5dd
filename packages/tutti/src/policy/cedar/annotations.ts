import type { NeededApprovals } from "../../contracts/policy.ts";
import type { InputType, PolicyRule } from "../rule.ts";

/** What a rule's annotations say; `problems` are for who wrote them. */
export interface Annotated {
  readonly rule: PolicyRule;
  readonly inputs: ReadonlyMap<string, InputType>;
  readonly problems: readonly string[];
}

/** What an annotation means is decided here, so one that is not known may not be passed over: it could be a misspelt condition. */
const known = ["id", "says", "approvals", "role", "distinct", "input"];
const approvalsMax = 20;

export function readAnnotations(
  effect: PolicyRule["effect"],
  annotations: Readonly<Record<string, string | null>>,
): Annotated {
  const problems = Object.keys(annotations)
    .filter((name) => !known.includes(name))
    .map((name) => `@${name} has no meaning here; there are @${known.join(", @")}`);
  const { id, says } = annotations;
  if (id === undefined || id === null || id === "") problems.push(`the rule has no name: write @id("…") before it`);
  const approvals = readApprovals(annotations, problems);
  const inputs = readInputs(annotations["input"], problems);
  const rule = {
    id: id ?? "",
    effect,
    ...(says === undefined || says === null ? {} : { says }),
    ...(approvals === undefined ? {} : { approvals }),
  };
  return { rule, inputs, problems };
}

function readApprovals(
  { approvals, role, distinct }: Readonly<Record<string, string | null>>,
  problems: string[],
): NeededApprovals | undefined {
  if (approvals === undefined) {
    if (role !== undefined || distinct !== undefined)
      problems.push(`@role and @distinct say whose approvals count; write @approvals("1") too`);
    return undefined;
  }
  const count = /^\d{1,2}$/u.test(approvals ?? "") ? Number(approvals) : 0;
  if (count < 1 || count > approvalsMax) problems.push(`@approvals takes a number from 1 to ${approvalsMax}`);
  if (role === null || role === "") problems.push(`@role takes the name of a role`);
  if (distinct !== undefined && distinct !== "initiator")
    problems.push(`@distinct takes "initiator": who started the run may not approve`);
  return {
    count,
    ...(role === undefined || role === null ? {} : { role }),
    distinctFromInitiator: distinct !== undefined,
  };
}

const fieldPattern = /^(?<path>[\w-]+(?:\.[\w-]+)*)\s*:\s*(?<type>Bool|Long|String|Set<Long>|Set<String>)$/u;

function readInputs(declared: string | null | undefined, problems: string[]): ReadonlyMap<string, InputType> {
  const inputs = new Map<string, InputType>();
  if (declared === undefined) return inputs;
  for (const part of (declared ?? "").split(",")) {
    const { path, type } = fieldPattern.exec(part.trim())?.groups ?? {};
    if (path === undefined || type === undefined || path === "__proto__")
      problems.push(
        `@input can't be read at "${part.trim()}"; write name: Bool, Long, String, Set<Long> or Set<String>, with commas between`,
      );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the pattern lets only these words through
    else inputs.set(path, type as InputType);
  }
  return inputs;
}
