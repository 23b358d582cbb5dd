import type { Tool } from "../contracts/callable.ts";
import type { Terms } from "../contracts/terms.ts";
import type { Scope } from "./scope.ts";

/** Trust and data classes of what somebody may have learned, each once. */
export type Labels = readonly string[];

export const noLabels: Labels = [];

export const untrusted = "untrusted";

/** A class that restricts nothing. */
const free = "public";

/**
 * Where values can meet: the code of a run is one place, and so is each agent in it, which sees nothing but its input and what its own calls
 * return. Whatever is learned in a place is on everything that leaves it: no way in which code or a model changes a value takes that off.
 */
function placeOf(scope: Scope): Scope {
  let place = scope;
  while (place.agent === undefined && place.parent !== undefined) place = place.parent;
  return place;
}

/** What goes out from here may carry these. */
export function labelsAt(scope: Scope): Labels {
  return placeOf(scope).labels ?? noLabels;
}

/** What tools that clear labels have returned, by digest: exactly these values carry less than where they are. */
const releasedByPlace = new WeakMap<Scope, Map<string, Labels>>();
const releasedMax = 1_000;

export function release(scope: Scope, digest: string, labels: Labels): void {
  const place = placeOf(scope);
  const released = releasedByPlace.get(place) ?? new Map<string, Labels>();
  releasedByPlace.set(place, released);
  if (released.size < releasedMax) released.set(digest, labels);
}

/** What an input carries: what everything here may carry, unless it is, as it is, what somebody has released. */
export function labelsOf(scope: Scope, digest: string): Labels {
  const labels = labelsAt(scope);
  return labels.length === 0 ? labels : (releasedByPlace.get(placeOf(scope))?.get(digest) ?? labels);
}

/** How much what was read from outside looks as if it gave orders, 0 to 100: a signal for this process, which nothing is decided by. */
const riskByPlace = new WeakMap<Scope, number>();

export function riskAt(scope: Scope): number {
  return riskByPlace.get(placeOf(scope)) ?? 0;
}

export function raiseRisk(scope: Scope, risk: number): void {
  if (risk > riskAt(scope)) riskByPlace.set(placeOf(scope), risk);
}

/** Whatever is here has now learned something with these labels. */
export function learn(scope: Scope, labels: Labels | undefined): void {
  if (labels === undefined || labels.length === 0) return;
  const place = placeOf(scope);
  place.labels = joinLabels(place.labels ?? noLabels, labels);
}

export function joinLabels(...all: readonly (Labels | undefined)[]): Labels {
  const labels = all.flatMap((each) => each ?? noLabels);
  return labels.length === 0 ? noLabels : [...new Set(labels)].filter((label) => label !== free);
}

/** What is left of labels for whoever gets an output whose author answers for some of them. `personal` is also `personal:anna`. */
export function clearLabels(labels: Labels, clears: readonly string[] | undefined): Labels {
  return clears === undefined ? labels : labels.filter((label) => !isAmong(label, clears));
}

/** What a callable brings in, by its own declaration. */
export function toBroughtIn({ dataOut, trust }: Terms): Labels {
  if (dataOut === undefined && trust === undefined) return noLabels;
  return joinLabels(dataOut, trust === undefined ? undefined : [trust]);
}

/** As a field of an entry, which most entries do without. */
export function toLabelField(labels: Labels): { readonly labels?: Labels } {
  return labels.length === 0 ? {} : { labels };
}

/** The labels as rules see them: `personal:anna` is also `personal`. */
export function toSeenLabels(labels: Labels): Labels {
  return labels.length === 0 ? labels : joinLabels(labels, labels.filter((label) => label.includes(":")).map(toClass));
}

/** The labels that a tool may be given, in the words that rules see. What changes nothing outside may be given what strangers wrote. */
export function toAccepted(labels: Labels, { effect, dataIn = [] }: Pick<Tool, "effect" | "dataIn">): Labels {
  const harmless = effect === "read" || effect === "local" ? [untrusted] : noLabels;
  return joinLabels(dataIn, harmless, toSeenLabels(labels.filter((label) => isAmong(label, dataIn))));
}

/** True when a list names the label or its class. */
function isAmong(label: string, list: readonly string[]): boolean {
  return list.includes(label) || list.includes(toClass(label));
}

function toClass(label: string): string {
  const colon = label.indexOf(":");
  return colon < 0 ? label : label.slice(0, colon);
}
