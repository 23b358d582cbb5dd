import { compileRules } from "./cedar/compiled-rules.ts";
import { toSchemaText } from "./cedar/schema.ts";
import { defaultRules } from "./default-rules.ts";
import { toPolicy, toVersion, type RuledPolicy } from "./policy.ts";

/** The rules of `defaultPolicy`. `default-rules.ts` is made from them by scripts/generate-default-rules.ts. */
export const defaultPolicyText = `@id("looking")
permit(principal, action in [Tutti::Action::"read-document", Tutti::Action::"call-model"], resource);

@id("writing-inside")
permit(principal, action == Tutti::Action::"write-document", resource);

@id("tools-that-change-nothing-outside")
permit(principal, action == Tutti::Action::"call-tool", resource)
when { resource.effect == "read" || resource.effect == "local" };

@id("trusted-with-what-can-be-undone")
permit(principal is Tutti::Agent, action == Tutti::Action::"call-tool", resource)
when { resource.reversible && principal.autonomy >= 4 };

@id("trusted-with-everything")
permit(principal is Tutti::Agent, action == Tutti::Action::"call-tool", resource)
when { principal.autonomy >= 5 };

@id("effects-ask") @approvals("1")
@says("What changes something outside needs a person's approval, until the agent is trusted with it.")
permit(principal, action == Tutti::Action::"call-tool", resource);

@id("labels-ask") @approvals("1")
@says("What goes in may carry a label that the tool does not accept, so a person decides.")
forbid(principal, action == Tutti::Action::"call-tool", resource)
when { !resource.accepts.containsAll(context.labels) }
unless { (resource.effect == "read" || resource.effect == "local") && !resource.dataClasses.contains("untrusted") };

@id("sending-asks") @approvals("1")
@says("What leaves this system needs a person's approval.")
permit(principal, action == Tutti::Action::"send", resource);

@id("people-approve")
permit(principal is Tutti::Person, action == Tutti::Action::"approve", resource);
`;

const noInputs = new Map();

/** What is outside is changed only after a person's yes, until an agent's autonomy is 4 (what can be undone) or 5 (everything). */
export const defaultPolicy: RuledPolicy = toPolicy(
  "default",
  toVersion(defaultPolicyText, toSchemaText(noInputs)),
  compileRules(defaultRules, noInputs, () => {
    throw new Error("every rule of the default policy is compiled");
  }),
);
