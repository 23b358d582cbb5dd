import { sha256 } from "../../base/hash.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { Sample, Sampling, Stratum } from "../../contracts/review.ts";

/** A final output, and how likely it is to be looked at. */
export interface Output extends Sample {
  readonly isDrawn: boolean;
}

/** Reads entries of all runs in the ledger's order, and says which final outputs there are. */
export interface OutputReader {
  note(entry: LedgerEntry): Output | undefined;
}

/** How much more often than others an output of a stratum is looked at. */
const weights: Readonly<Record<Stratum, number>> = {
  novel: 10,
  "new-version": 4,
  irreversible: 4,
  "low-confidence": 4,
  uniform: 1,
};
/** The first outputs of a flow, and of a version of it. */
const novelOutputs = 10;
const newVersionOutputs = 20;
const lowConfidence = 0.5;

interface Course {
  readonly flow: string;
  readonly version: string;
  readonly isRoot: boolean;
  isIrreversible: boolean;
  confidence: number;
}

/** What is drawn follows from the entries and the seed alone, so that it can be drawn again. */
export function openOutputReader(sampling: Sampling): OutputReader {
  const courses = new Map<string, Course>();
  const outputsByFlow = new Map<string, number>();
  const count = (name: string): number => {
    const before = outputsByFlow.get(name) ?? 0;
    outputsByFlow.set(name, before + 1);
    return before;
  };
  const end = (entry: LedgerEntry): Output | undefined => {
    const course = courses.get(entry.run);
    courses.delete(entry.run);
    if (entry.kind !== "run-done" || course === undefined || !course.isRoot) return undefined;
    const { flow, version } = course;
    const earlier = { ofFlow: count(flow), ofVersion: count(`${flow}@${version}`) };
    const stratum = toStratum(course, earlier);
    const probability = Math.min(1, sampling.share * weights[stratum]);
    const isDrawn = toUniform(`${sampling.seed}:${entry.hash}`) < probability;
    return { run: entry.run, flow, version, outputLsn: entry.lsn, stratum, probability, isDrawn };
  };
  return {
    note(entry) {
      switch (entry.kind) {
        case "run-started": {
          const { flow, version, parent } = bodyOf(entry, entry.kind);
          const course = { flow, version, isRoot: parent === undefined && !flow.startsWith("@") };
          courses.set(entry.run, { ...course, isIrreversible: false, confidence: 1 });
          return undefined;
        }
        case "effect-intended": {
          const course = courses.get(entry.run);
          if (course !== undefined && bodyOf(entry, entry.kind).undo !== true) course.isIrreversible = true;
          return undefined;
        }
        case "scope-closed": {
          const course = courses.get(entry.run);
          const { confidence } = bodyOf(entry, entry.kind);
          if (course !== undefined && confidence !== undefined)
            course.confidence = Math.min(course.confidence, confidence.value);
          return undefined;
        }
        case "run-done":
        case "run-failed":
        case "run-cancelled":
          return end(entry);
        default:
          return undefined;
      }
    },
  };
}

function toStratum(
  { isIrreversible, confidence }: Course,
  earlier: { readonly ofFlow: number; readonly ofVersion: number },
): Stratum {
  if (earlier.ofFlow < novelOutputs) return "novel";
  if (earlier.ofVersion < newVersionOutputs) return "new-version";
  if (isIrreversible) return "irreversible";
  return confidence < lowConfidence ? "low-confidence" : "uniform";
}

const uniformDigits = 13;

/** A number from 0 to below 1 that nobody can choose who does not know the seed. */
function toUniform(text: string): number {
  return Number.parseInt(sha256(text).slice(0, uniformDigits), 16) / 16 ** uniformDigits;
}
