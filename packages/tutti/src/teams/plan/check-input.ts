import { findMisfit } from "../../models/schema-fit.ts";
import { isFromElsewhere, referencesIn, toReference, type Source } from "./source.ts";
import { findTypeMisfit, requiredOf, toTyped, typeAt, type Typed } from "./types-fit.ts";

/** The output's type of a task, or the plan's input, by the root of a reference; `undefined` when it is not known. */
export type TypeOfRoot = (root: string) => Typed | undefined;

/** What is certainly wrong with an input that has to fit a schema; nothing where types are not known. */
export function findInputMisfits(
  schema: Readonly<Record<string, unknown>> | undefined,
  source: Source,
  typeOfRoot: TypeOfRoot,
): readonly string[] {
  const wanted = toTyped(schema);
  if (wanted === undefined) return [];
  if (source !== undefined && referencesIn(source).length === 0) {
    const misfit = findMisfit(schema, source, "its input");
    return misfit === undefined ? [] : [misfit];
  }
  return misfitsOf(source ?? {}, wanted, { path: "its input", typeOfRoot });
}

interface Place {
  readonly path: string;
  readonly typeOfRoot: TypeOfRoot;
}

function misfitsOf(source: Source, wanted: Typed, place: Place): readonly string[] {
  if (isFromElsewhere(source)) {
    const misfit = misfitOfReference(source.$from, wanted, place);
    const stand = "or" in source ? misfitsOf(source.or, wanted, place) : [];
    return misfit === undefined ? stand : [misfit, ...stand];
  }
  if (typeof source !== "object" || source === null || referencesIn(source).length === 0) {
    if (wanted.part !== wanted.root && JSON.stringify(wanted.part).includes('"$ref"')) return []; // its references name the whole
    const misfit = findMisfit(wanted.part, source, place.path);
    return misfit === undefined ? [] : [misfit];
  }
  const missing = Array.isArray(source)
    ? []
    : requiredOf(wanted)
        .filter((name) => !Object.hasOwn(source, name))
        .map((name) => `${place.path}.${name} is missing`);
  const inside = Object.entries(source).flatMap(([name, part]: [string, unknown]) => {
    const found = typeAt(wanted, [name]);
    const path = `${place.path}.${name}`;
    if (found.kind === "impossible") return [`${path} should not be there`];
    return found.kind === "unknown" ? [] : misfitsOf(part, found.typed, { ...place, path });
  });
  return [...missing, ...inside];
}

function misfitOfReference(text: string, wanted: Typed, { path, typeOfRoot }: Place): string | undefined {
  const reference = toReference(text);
  const found = typeAt(typeOfRoot(reference.root), reference.path);
  if (found.kind === "impossible") return `${path} is taken from ${text}, and there is no ${found.field}`;
  if (found.kind === "unknown") return undefined;
  const misfit = findTypeMisfit(found.typed, wanted);
  return misfit === undefined ? undefined : `${path} is taken from ${text}: ${misfit}`;
}
