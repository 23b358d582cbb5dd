import { anything, recordOf } from "../../base/shape.ts";
import { names } from "../otlp/conventions.ts";
import type { Attributes, Span } from "../otlp/span.ts";
import { Durations, Numbers } from "./families.ts";

/** What is counted of spans, from the beginning of the ledger on. */
export class SpanCounts {
  private readonly runs = new Numbers("counter", "tutti_runs_ended_total", "Runs that have ended.");
  private readonly runSeconds = new Durations("tutti_run_duration_seconds", "From a run's start to its end.");
  private readonly runTokens = new Numbers(
    "counter",
    "tutti_run_tokens_total",
    "Tokens that runs used when they ended.",
  );
  private readonly runCost = new Numbers(
    "counter",
    "tutti_run_cost_usd_total",
    "What runs cost in US dollars, as far as prices are known.",
  );
  private readonly steps = new Numbers("counter", "tutti_steps_total", "Attempts of steps, by what they are.");
  private readonly agentCalls = new Numbers("counter", "tutti_agent_calls_total", "Calls of agents that have ended.");
  private readonly agentSeconds = new Durations(
    "tutti_agent_duration_seconds",
    "From a call of an agent to its answer.",
  );
  private readonly agentTokens = new Numbers(
    "counter",
    "tutti_agent_tokens_total",
    "Tokens that agents used for answers.",
  );
  private readonly agentCost = new Numbers(
    "counter",
    "tutti_agent_cost_usd_total",
    "What answers of agents cost in US dollars.",
  );
  private readonly toolCalls = new Numbers("counter", "tutti_tool_calls_total", "Attempts of tools.");
  private readonly toolSeconds = new Durations("tutti_tool_duration_seconds", "How long attempts of tools took.");
  private readonly modelCalls = new Numbers("counter", "tutti_model_calls_total", "Questions to models.");
  private readonly modelSeconds = new Durations("tutti_model_duration_seconds", "How long questions to models took.");
  private readonly modelTokens = new Numbers("counter", "tutti_model_tokens_total", "Tokens of models, counted once.");
  private readonly modelCost = new Numbers(
    "counter",
    "tutti_model_cost_usd_total",
    "What models cost in US dollars, as far as prices are known.",
  );

  private readonly families = [
    this.runs,
    this.runSeconds,
    this.runTokens,
    this.runCost,
    this.steps,
    this.agentCalls,
    this.agentSeconds,
    this.agentTokens,
    this.agentCost,
    this.toolCalls,
    this.toolSeconds,
    this.modelCalls,
    this.modelSeconds,
    this.modelTokens,
    this.modelCost,
  ] as const;

  add(span: Span): void {
    const { role, attributes } = span;
    const seconds = (span.endMs - span.startMs) / 1_000;
    const outcome = textOf(attributes, "tutti.outcome") ?? (span.error === undefined ? "done" : "failed");
    if (role === "run") {
      this.addRun(attributes, { seconds, outcome });
      return;
    }
    this.steps.add({ kind: role, outcome }, 1);
    if (role === "agent" || role === "plan") this.addAgent(attributes, { seconds, outcome });
    // Nobody was called for an effect that was there already.
    else if (role === "tool" && attributes["tutti.effect.shared"] !== true) {
      const tool = textOf(attributes, names.tool) ?? "";
      this.toolCalls.add({ tool, outcome }, 1);
      this.toolSeconds.add({ tool }, seconds);
    } else if (role === "model") this.addModel(attributes, { seconds, outcome });
  }

  toText(): string {
    return this.families.map((family) => family.toText()).join("");
  }

  /** All that was counted, as JSON. */
  save(): unknown {
    return Object.fromEntries(this.families.map((family) => [family.name, family.save()]));
  }

  /** Goes on from what was saved. @throws ShapeError for what was not saved here */
  load(saved: unknown): void {
    const states = recordOf(anything)(saved, "counts");
    for (const family of this.families) family.load(states[family.name]);
  }

  private addRun(attributes: Attributes, { seconds, outcome }: Ended): void {
    const flow = textOf(attributes, names.workflow) ?? "";
    const whose = { flow, tenant: textOf(attributes, "tutti.tenant") ?? "" };
    this.runs.add({ ...whose, outcome }, 1);
    this.runSeconds.add({ flow }, seconds);
    this.runTokens.add({ ...whose, direction: "in" }, numberOf(attributes, "tutti.usage.input_tokens"));
    this.runTokens.add({ ...whose, direction: "out" }, numberOf(attributes, "tutti.usage.output_tokens"));
    this.runCost.add(whose, numberOf(attributes, "tutti.usage.cost_usd"));
  }

  private addAgent(attributes: Attributes, { seconds, outcome }: Ended): void {
    const agent = textOf(attributes, names.agent) ?? "";
    this.agentCalls.add({ agent, outcome }, 1);
    this.agentSeconds.add({ agent }, seconds);
    this.agentTokens.add({ agent, direction: "in" }, numberOf(attributes, "tutti.usage.input_tokens"));
    this.agentTokens.add({ agent, direction: "out" }, numberOf(attributes, "tutti.usage.output_tokens"));
    this.agentCost.add({ agent }, numberOf(attributes, "tutti.usage.cost_usd"));
  }

  private addModel(attributes: Attributes, { seconds, outcome }: Ended): void {
    const model = textOf(attributes, names.requestModel) ?? "unknown";
    this.modelCalls.add({ model, outcome }, 1);
    this.modelSeconds.add({ model }, seconds);
    this.modelTokens.add({ model, direction: "in" }, numberOf(attributes, names.inputTokens));
    this.modelTokens.add({ model, direction: "out" }, numberOf(attributes, names.outputTokens));
    this.modelCost.add({ model }, numberOf(attributes, "tutti.cost_usd"));
  }
}

interface Ended {
  readonly seconds: number;
  readonly outcome: string;
}

function textOf(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name];
  return typeof value === "string" ? value : undefined;
}

function numberOf(attributes: Attributes, name: string): number {
  const value = attributes[name];
  return typeof value === "number" ? value : 0;
}
