import fc from "fast-check";

/** Rules that use everything of Cedar's that is compiled. */
export const soundRules = `
@id("reads") permit(principal, action == Tutti::Action::"call-tool", resource) when { resource.effect == "read" };
@id("agents") permit(principal is Tutti::Agent, action, resource) when { principal.autonomy >= 2 && principal.version != "2" };
@id("named") permit(principal == Tutti::Agent::"payer", action in [Tutti::Action::"send", Tutti::Action::"call-model"], resource);
@id("finance") permit(principal in Tutti::Role::"finance", action, resource) unless { context.labels.isEmpty() };
@id("is-in") permit(principal is Tutti::Person in Tutti::Role::"legal", action, resource);
@id("one-tool") forbid(principal, action, resource == Tutti::Tool::"bank.pay") when { context has tenant };
@id("order") @input("order.total: Long") forbid(principal, action, resource)
when { context.input has "order.total" && context.input["order.total"] > 3 };
@id("input") @input("amountCents: Long, to: String, tags: Set<String>, sure: Bool")
permit(principal, action, resource)
when { context.input has to && context.input.to like "*n*a" || context.input has sure && context.input.sure };
@id("tags") permit(principal, action, resource)
when { context.input has tags && context.input.tags.containsAll(["personal"]) && !context.input.tags.contains("secret") };
@id("sums") forbid(principal, action, resource)
when { context has costCents && context has depth && context.costCents * context.depth + context.costCents - context.depth > 9007199254740000 };
@id("negative") permit(principal, action, resource) when { context has depth && -context.depth == 2 };
@id("choice") permit(principal, action, resource) when { if context has initiator then context.initiator == "anna" else context.run == "ben" };
@id("set") permit(principal, action, resource) when { [context.run, context.flow] == [context.flow] };
@id("record") permit(principal, action, resource) when { {a: context.run, b: [1, 2]} == {b: [2, 1, 1], a: context.flow} };
@id("literal") permit(principal, action, resource) when { Tutti::Tool::"mail.send" has effect && Tutti::Tool::"mail.send".effect == "once" };
@id("star") permit(principal, action, resource) when { resource.name like "a\\*b" || resource.name like "*.*" };
@id("types") permit(principal, action, resource) when { resource is Tutti::Document && context.flow != "anna" };
`;

/** Rules that fail for some requests, which Cedar reports as errors, or that only a strict check refuses. */
export const unsoundRules = `
@id("fails") forbid(principal, action, resource) when { context.costCents > 500 };
@id("fails-too") permit(principal, action, resource) when { principal.autonomy > 1 };
@id("any") forbid(principal, action, resource) when { context.labels.containsAny(["untrusted", "personal"]) && context.depth >= 3 };
@id("among") permit(principal, action, resource) when { principal in [Tutti::Role::"ops", Tutti::Run::"anna"] };
@id("stranger") forbid(principal, action, resource) when { Tutti::Agent::"stranger".autonomy > 1 };
`;

const texts = fc.constantFrom("context.run", "context.flow", `"anna"`, `"a*b"`, "resource.name", "context.tenant");
const counts = fc.constantFrom(
  "1",
  "3",
  "-2",
  "context.depth",
  "context.costCents",
  "principal.autonomy",
  "9007199254740991",
);
const groups = fc.constantFrom("context.labels", `["personal"]`, `["untrusted", "secret"]`, "resource.dataClasses");
const entities = fc.constantFrom(
  "principal",
  "resource",
  "action",
  `Tutti::Role::"finance"`,
  `Tutti::Tool::"mail.send"`,
);
const numbers = fc.letrec((tie) => ({
  number: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    counts,
    fc.tuple(tie("number"), fc.constantFrom("+", "-", "*"), tie("number")).map((parts) => `(${parts.join(" ")})`),
    tie("number").map((number) => `-(${String(number)})`),
  ),
})).number;
const operands = fc.oneof(texts, numbers, groups, entities);

/** Conditions of any form, also ones that no type-checker would let pass. */
export const conditions: fc.Arbitrary<string> = fc
  .letrec((tie) => ({
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.tuple(numbers, fc.constantFrom("<", "<=", ">", ">="), operands).map((parts) => parts.join(" ")),
      fc.tuple(operands, fc.constantFrom("==", "!="), operands).map((parts) => parts.join(" ")),
      fc.tuple(entities, entities).map(([one, other]) => `${one} in ${other}`),
      fc.tuple(entities, groups).map(([one, other]) => `${one} in ${other}`),
      fc.tuple(entities, fc.constantFrom("Tutti::Agent", "Tutti::Tool")).map(([one, type]) => `${one} is ${type}`),
      fc
        .tuple(operands, fc.constantFrom("contains", "containsAll", "containsAny"), operands)
        .map(([one, how, other]) => `(${one}).${how}(${other})`),
      fc
        .tuple(fc.oneof(texts, counts), fc.constantFrom("*", "a*", "*n*", "a\\*b"))
        .map(([one, like]) => `${one} like "${like}"`),
      fc
        .tuple(fc.oneof(entities, texts, fc.constant("context")), fc.constantFrom("depth", "autonomy", "effect"))
        .map(([one, name]) => `${one} has ${name}`),
      fc.oneof(groups, texts).map((group) => `${group}.isEmpty()`),
      fc.tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition")).map((parts) => `(${parts.join(" ")})`),
      tie("condition").map((condition) => `!(${String(condition)})`),
      fc
        .tuple(tie("condition"), tie("condition"), tie("condition"))
        .map(([one, two, three]) => `(if ${String(one)} then ${String(two)} else ${String(three)})`),
      operands.map(String),
    ),
  }))
  .condition.map(String);
