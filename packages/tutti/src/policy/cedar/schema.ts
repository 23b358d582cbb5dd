import type { PolicyRequest } from "../../contracts/policy.ts";
import type { InputFields } from "../rule.ts";

/** Everything that rules may name begins so. */
const namespace = "Tutti";

/** What each action is done to. Anything else can't be asked, and is denied. */
export const resourceKinds: Readonly<Record<PolicyRequest["action"], PolicyRequest["resource"]["kind"]>> = {
  "call-tool": "tool",
  "call-model": "model",
  "read-document": "document",
  "write-document": "document",
  send: "border",
  approve: "approval",
};

/** Entity types by the kinds of a request. */
export const principalTypes = { agent: "Tutti::Agent", run: "Tutti::Run", person: "Tutti::Person" } as const;
export const resourceTypes = {
  tool: "Tutti::Tool",
  model: "Tutti::Model",
  document: "Tutti::Document",
  border: "Tutti::Border",
  approval: "Tutti::Approval",
} as const;
export const roleType = "Tutti::Role";
export const actionType = "Tutti::Action";

/** The schema that rules are checked against, in Cedar's own language. What they read of the input is what they declare. */
export function toSchemaText(inputs: InputFields): string {
  const plain = Object.entries(resourceTypes)
    .filter(([kind]) => kind !== "tool")
    .map(([, type]) => `  entity ${shorten(type)} { name: String, dataClasses: Set<String> };`);
  const actions = Object.entries(resourceKinds).map(
    ([action, kind]) =>
      `  action ${JSON.stringify(action)} appliesTo { principal: [Agent, Run, Person], resource: [${shorten(resourceTypes[kind])}], context: Context };`,
  );
  const input = [...inputs].map(([path, type]) => `${JSON.stringify(path)}?: ${type}`).join(", ");
  return `namespace ${namespace} {
  entity Role;
  entity Agent { name: String, version: String, autonomy: Long, run: String };
  entity Run { flow: String };
  entity Person in [Role];
  entity Tool { name: String, effect: String, reversible: Bool, dataClasses: Set<String>, accepts: Set<String> };
${plain.join("\n")}
  type Input = { ${input} };
  type Context = {
    run: String, flow: String, tenant?: String, initiator?: String,
    costCents?: Long, depth?: Long, injectionRisk?: Long, labels: Set<String>, input: Input,
  };
${actions.join("\n")}
}
`;
}

function shorten(type: string): string {
  return type.slice(namespace.length + 2);
}
