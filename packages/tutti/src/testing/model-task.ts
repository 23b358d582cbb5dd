import type { ModelMessage } from "../contracts/model.ts";

/** A conversation that begins as every agent's does: a role, and the input as JSON. */
export function toTask(input: unknown): ModelMessage[] {
  return [
    { role: "system", text: "You are a researcher." },
    { role: "user", text: `Input:\n\`\`\`json\n${JSON.stringify(input, null, 2)}\n\`\`\`` },
  ];
}
