import { effectOf } from "./declarations.ts";
import { findDeclared, toolsOf, type Project } from "./project.ts";
import { calledOf, contains, listOf } from "./syntax.ts";

/** Whether the project needs what Tutti is for. */
export type Verdict =
  | { readonly kind: "needed"; readonly reasons: readonly string[] }
  | { readonly kind: "not-needed"; readonly reasons: readonly string[] }
  /** Nothing here runs durably, or what it calls is not known. */
  | { readonly kind: "unknown"; readonly reasons: readonly string[] };

interface Sign {
  readonly one: string;
  readonly many: string;
  readonly verbs: readonly string[];
}

/** What of a flow a plain call could not do. */
const signs: readonly Sign[] = [
  { one: "part that runs in parallel", many: "parts that run in parallel", verbs: ["all", "map", "race"] },
  { one: "wait", many: "waits", verbs: ["wait", "sleep"] },
  { one: "agreement or review", many: "agreements and reviews", verbs: ["agree", "review"] },
  { one: "child run", many: "child runs", verbs: ["child"] },
  { one: "use of shared documents", many: "uses of shared documents", verbs: ["document", "transact"] },
  { one: "message to another run", many: "messages to other runs", verbs: ["emit", "publish"] },
  { one: "question to a person", many: "questions to people", verbs: ["ask", "approve"] },
];

/** Verbs that a plain program has no need of, or has itself. */
const plainVerbs: ReadonlySet<string> = new Set([
  "call",
  "result",
  "step",
  "note",
  "record",
  "now",
  "random",
  "uuid",
  "patched",
]);

/** Decides from what the flows call. Says "not needed" only if all that is called is known. */
export function decideVerdict(project: Project): Verdict {
  const { flows } = project;
  if (flows.length === 0) return { kind: "unknown", reasons: ["there is no flow here"] };
  const verbs = flows.flatMap((code) => code.verbs);
  const reasons = [
    ...signReasons(verbs.map(({ verb }) => verb)),
    ...effectReasons(project),
    ...agentReasons(project),
    ...importReasons(project),
  ];
  if (reasons.length > 0) return { kind: "needed", reasons };
  const strange = verbs.find(({ verb }) => !plainVerbs.has(verb));
  if (strange !== undefined) return { kind: "needed", reasons: [`run.${strange.verb}`] };
  const calls = verbs.filter(({ verb }) => verb === "call" || verb === "result");
  const unknown = calls.filter((call) => findDeclared(project, call.arguments[0]) === undefined);
  if (unknown.length > 0 || handsRunOn(project))
    return { kind: "unknown", reasons: ["what the flows call is declared elsewhere, so its effects are not known"] };
  return { kind: "not-needed", reasons: toPlainReasons(project) };
}

function signReasons(verbs: readonly string[]): readonly string[] {
  return signs.flatMap((sign) => {
    const count = verbs.filter((verb) => sign.verbs.includes(verb)).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? sign.one : sign.many}`];
  });
}

function effectReasons(project: Project): readonly string[] {
  const effects = toolsOf(project).filter((tool) => ["once", "idempotent"].includes(effectOf(tool) ?? ""));
  if (effects.length === 0) return [];
  return [`${effects.length} ${effects.length === 1 ? "effect" : "effects"} that must not be done twice`];
}

function agentReasons({ declared }: Project): readonly string[] {
  const agents = declared.filter(({ kind }) => kind === "agent").length;
  return agents > 1 ? [`${agents} agents`] : [];
}

/** What is imported that only makes sense with runs: by module, or by name from "tutti". */
const importSigns: Readonly<Record<string, string>> = {
  "tutti/teams": "a team",
  "tutti/plans": "a plan",
  "tutti/webhooks": "events from outside",
  subscription: "work that events start",
  schedule: "work that the clock starts",
  documentTools: "agents that share documents",
};

function importReasons({ files }: Project): readonly string[] {
  const imported = files.flatMap((file) => [...file.imports.values()]);
  const signsOf = imported.map(
    ({ from, name }) => importSigns[from] ?? (from === "tutti" ? importSigns[name] : undefined),
  );
  return [...new Set(signsOf.flatMap((sign) => sign ?? []))];
}

/** Whether a flow gives its run to a function that was not read. */
function handsRunOn({ flows }: Project): boolean {
  return flows.some(({ file, nodes, verbs }) => {
    const calls = new Set(verbs.map(({ node }) => node));
    return nodes.some(
      ({ node }) =>
        !calls.has(node) &&
        calledOf(node) !== undefined &&
        !file.functions.has(calledOf(node) ?? "") &&
        listOf(node, "arguments").some((given) =>
          contains(given, (each) => calledOf(each) === undefined && isRun(each)),
        ),
    );
  });
}

function isRun(node: Parameters<typeof calledOf>[0]): boolean {
  return node?.type === "Identifier" && "name" in node && node.name === "run";
}

function toPlainReasons({ declared }: Project): readonly string[] {
  const agents = declared.filter(({ kind }) => kind === "agent").length;
  return [
    agents === 1 ? "one agent" : "no agent",
    "nothing in parallel",
    "no waiting",
    "no effect that could be done twice",
    "no people",
  ];
}
