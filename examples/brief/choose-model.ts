import type { Model } from "tutti";
import { fromAiSdk, offlineModel } from "tutti/models";

/** A provider whose key is in the environment, with a small model of it. */
interface Provider {
  readonly key: string;
  readonly model: string;
  readonly open: (id: string) => Promise<Model>;
}

// Only the package that is used is loaded.
const providers: readonly Provider[] = [
  {
    key: "OPENAI_API_KEY",
    model: "gpt-5-mini",
    open: async (id) => fromAiSdk((await import("@ai-sdk/openai")).openai(id)),
  },
  {
    key: "ANTHROPIC_API_KEY",
    model: "claude-haiku-4-5",
    open: async (id) => fromAiSdk((await import("@ai-sdk/anthropic")).anthropic(id)),
  },
  {
    key: "GOOGLE_GENERATIVE_AI_API_KEY",
    model: "gemini-flash-latest",
    open: async (id) => fromAiSdk((await import("@ai-sdk/google")).google(id)),
  },
];

/** The model of the first provider that has a key, or the offline one. `TUTTI_MODEL` names another model of that provider. */
export async function chooseModel(
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly model: Model; readonly why: string }> {
  for (const { key, model, open } of providers) {
    if (environment[key] === undefined || environment[key] === "") continue;
    const id = environment["TUTTI_MODEL"] ?? model;
    return { model: await open(id), why: `${id}, because ${key} is set` };
  }
  const keys = providers.map((provider) => provider.key).join(", ");
  return {
    model: offlineModel(),
    why: `the offline extractive model: it quotes and counts, and writes nothing of its own (set one of ${keys} for a language model)`,
  };
}
