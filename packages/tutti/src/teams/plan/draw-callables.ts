import type { Callable } from "../../contracts/run.ts";
import { findJsonSchema } from "../../contracts/schema.ts";
import type { DrawnArrow, DrawnBox, Drawing } from "./drawing.ts";

/** What callables declare: what goes in and comes out, the tools of agents, and who changes what another reads. */
export function drawCallables(callables: readonly Callable[], title: string): Drawing {
  const boxes = new Map<string, DrawnBox>();
  const arrows: DrawnArrow[] = [];
  const add = (callable: Callable): void => {
    if (boxes.has(callable.name)) return;
    boxes.set(callable.name, {
      id: callable.name,
      label: toLabel(callable),
      shape: isEffect(callable) ? "effect" : "task",
    });
    for (const name of callable.reads ?? [])
      arrows.push({ from: addResource(name), to: callable.name, kind: "data", label: "reads" });
    for (const name of callable.writes ?? [])
      arrows.push({ from: callable.name, to: addResource(name), kind: "data", label: "writes" });
    if (callable.kind !== "agent") return;
    for (const tool of callable.tools) {
      add(tool);
      arrows.push({ from: callable.name, to: tool.name, kind: "order", label: "may call" });
    }
  };
  const addResource = (name: string): string => {
    const id = `resource ${name}`;
    if (!boxes.has(id)) boxes.set(id, { id, label: name, shape: "end" });
    return id;
  };
  for (const callable of callables) add(callable);
  const flows = callables.filter((callable) => callable.kind === "flow");
  return {
    title,
    boxes: [...boxes.values()],
    arrows,
    remarks: flows.map(
      ({ name }) => `${name} is code: whom it calls, and when, is known once it has run. Then: tutti draw --run <run>`,
    ),
  };
}

function toLabel(callable: Callable): string {
  const effect = isEffect(callable) && callable.kind === "tool" ? `, changes things: ${callable.effect}` : "";
  const fields = (side: "input" | "output"): string => namesOf(findJsonSchema(callable[side], side));
  return `${callable.name} (${callable.kind}${effect})\nin: ${fields("input")}\nout: ${fields("output")}`;
}

function namesOf(schema: Readonly<Record<string, unknown>> | undefined): string {
  const properties = schema?.["properties"];
  if (typeof properties === "object" && properties !== null) return Object.keys(properties).join(", ");
  const type = schema?.["type"];
  return typeof type === "string" ? type : "anything";
}

function isEffect(callable: Callable): boolean {
  return callable.kind === "tool" && (callable.effect === "idempotent" || callable.effect === "once");
}
