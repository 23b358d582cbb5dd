import type { LedgerEntry } from "../contracts/entry.ts";
import type { Telling } from "./why-facts.ts";

/** What rules and people had to do with a step or a run, by kind of entry: which edge it is, and its sentence. */
const governed: Readonly<Record<string, { readonly kind: Telling["kind"]; readonly tell: (body: Said) => string }>> = {
  "policy-decided": {
    kind: "policy",
    tell: (body) =>
      `Policy ${body.in("policy").text("name")} (version ${body.in("policy").text("version")}) said ${body.in("verdict").text("kind")}${because(body.in("verdict"))}.`,
  },
  "approval-requested": { kind: "person", tell: (body) => `People were asked: ${body.text("about")}` },
  "approval-voted": {
    kind: "person",
    tell: (body) => `${body.text("by")} said ${body.text("verdict")}${because(body)}.`,
  },
  "approval-overdue": {
    kind: "person",
    tell: (body) => `Nobody decided in time; what followed: ${body.text("next")}.`,
  },
  "approval-decided": {
    kind: "person",
    tell: (body) =>
      `The approval was ${body.text("state")}${body.has("by") ? ` by ${body.text("by")}` : ""}${because(body)}.`,
  },
  "approval-used": { kind: "person", tell: () => "The approval was used." },
};

/** `undefined` for entries that are about neither rules nor people. */
export function tellGoverned(entry: LedgerEntry): Telling | undefined {
  const known = Object.hasOwn(governed, entry.kind) ? governed[entry.kind] : undefined;
  return known === undefined ? undefined : { kind: known.kind, sentence: known.tell(toSaid(JSON.parse(entry.body))) };
}

/** A body, read as it is needed for a sentence: `bodyOf` has its shape, and a sentence can do without what is not there. */
interface Said {
  has(name: string): boolean;
  text(name: string): string;
  in(name: string): Said;
}

function toSaid(value: unknown): Said {
  const fields = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  return {
    has: (name) => fields.has(name),
    text: (name) => String(fields.get(name) ?? "?"),
    in: (name) => toSaid(fields.get(name)),
  };
}

const reasonNames = ["why", "reason", "note", "text"] as const;
const reasonMax = 200;

function because(body: Said): string {
  const name = reasonNames.find((each) => body.has(each));
  return name === undefined ? "" : `: ${body.text(name).slice(0, reasonMax)}`;
}
