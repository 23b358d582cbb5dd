/**
 * The family of a recorded model (`provider/id`): the first letters of its name, so that sizes, versions and resellers of one model are one
 * family. `openrouter/anthropic/claude-opus-5` and `bedrock/us.anthropic.claude-haiku-5` are both `claude`. Two names of one vendor (`gpt`,
 * `o`) are two families; a voter that knows better declares its own.
 */
export function toModelFamily(model: string): string {
  const name = model.toLowerCase().slice(model.lastIndexOf("/") + 1);
  const bare = name.replace(/^(?:[a-z]+\.)+(?=[a-z])/u, "");
  return /^[a-z]+/u.exec(bare)?.[0] ?? name;
}
