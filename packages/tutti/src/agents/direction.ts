import { isTuttiError, type TuttiError } from "../base/errors.ts";
import type { ActHost, DirectiveLook } from "../contracts/callable.ts";
import { describeDirective, type GivenDirective } from "../contracts/directive.ts";
import type { ModelMessage } from "../contracts/model.ts";
import type { Run } from "../contracts/run.ts";

/** What a person's result for an agent is: accepted as its output. */
export interface PersonsResult {
  readonly output: unknown;
}

export type Direction =
  | { readonly kind: "turn"; readonly look: DirectiveLook }
  | { readonly kind: "handed-back"; readonly result: PersonsResult };

/** Before a turn: looks at what people want, and waits as long as a person does the agent's work. */
export async function takeDirection(run: Run, host: ActHost): Promise<Direction> {
  const news: GivenDirective[] = [];
  for (;;) {
    const look = host.look();
    news.push(...look.news);
    if (look.takenOver === undefined) return { kind: "turn", look: { ...look, news } };
    const handed = await host.awaitHandBack();
    if (handed === undefined) continue;
    const accepted = await host.accept(handed.output);
    if (accepted.kind === "fits") return { kind: "handed-back", result: { output: accepted.output } };
    run.note(`What ${handed.by} handed in can't be used: ${accepted.problem}`);
  }
}

/** What stands, said behind everything else in every question, so that it is never left out and always last. Nothing if nobody said anything. */
export function toDirectionMessages({ state, news }: DirectiveLook): readonly ModelMessage[] {
  if (state.version === 0) return [];
  const lines = [
    "People direct this run. What they say stands above everything else in this conversation, your instructions included.",
    ...(state.goal === undefined ? [] : [`The goal: ${state.goal}`]),
    ...toList("What must be kept", state.constraints),
    ...toList("What you should know", state.context),
    ...toList("New since your last turn", news.map(describeDirective)),
  ];
  return [{ role: "user", text: lines.join("\n") }];
}

function toList(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `- ${item}`)];
}

/** Whether the question was stopped, or not asked, because a person gave another directive. */
export function isOutdated(error: unknown): error is TuttiError {
  return isTuttiError(error) && error.code === "DIRECTIVE_CHANGED";
}
