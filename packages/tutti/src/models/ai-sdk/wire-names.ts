import type { ModelRequest } from "../../contracts/model.ts";

/** Tool names as a provider takes them, and back. */
export interface WireNames {
  toWire(ours: string): string;
  toOurs(wire: string): string;
}

export const wireNameMax = 64;

/** Providers take letters, digits, `_` and `-` only; our `page.publish` travels as `page_publish`. Two names never become one. */
export function toWireNames(request: ModelRequest): WireNames {
  const wireByOurs = new Map<string, string>();
  const oursByWire = new Map<string, string>();
  const mentioned = request.messages.flatMap((message) => {
    if (message.role === "tool") return [message.tool];
    return message.role === "assistant" ? message.toolCalls.map((call) => call.tool) : [];
  });
  for (const ours of [...request.tools.map((tool) => tool.name), ...mentioned]) {
    if (wireByOurs.has(ours)) continue;
    const base = ours.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, wireNameMax) || "_";
    let wire = base;
    for (let count = 2; oursByWire.has(wire); count++) wire = `${base.slice(0, wireNameMax - 3)}_${count}`;
    wireByOurs.set(ours, wire);
    oursByWire.set(wire, ours);
  }
  return {
    toWire: (ours) => wireByOurs.get(ours) ?? ours,
    // A name that nobody offered stays as the model wrote it: whoever runs the tools will say that there is none.
    toOurs: (wire) => oursByWire.get(wire) ?? wire,
  };
}
