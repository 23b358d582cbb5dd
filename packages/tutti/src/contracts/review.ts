import {
  ShapeError,
  branded,
  decimal,
  fields,
  flag,
  integer,
  listOf,
  oneOf,
  text,
  type Shape,
  type ShapeOf,
} from "../base/shape.ts";
import type { RunId } from "./ids.ts";

/** Why an output was more likely to be looked at; the first that fits. `uniform`: none. */
export const strata = ["novel", "new-version", "irreversible", "low-confidence", "uniform"] as const;
export type Stratum = (typeof strata)[number];

/** `share`: how many of all outputs are looked at at least, above 0 to 1. `seed`: what the draws are made from. */
export const samplingShape = fields({ share: decimal, seed: text, by: text }, { role: text });
export type Sampling = ShapeOf<typeof samplingShape>;

const run: Shape<RunId> = branded(text);

/** `probability`: how likely it was that this output would be looked at. `outputLsn`: the entry with the output. */
export const sampleShape = fields({
  run,
  flow: text,
  version: text,
  outputLsn: integer,
  stratum: oneOf(...strata),
  probability: decimal,
});
export type Sample = ShapeOf<typeof sampleShape>;

/** What a person found in an output. */
export interface ReviewGiven {
  readonly isDefective: boolean;
  readonly defects: readonly string[];
}

const defectsMax = 20;
const defectCharactersMax = 2_000;
const review = fields({ isDefective: flag, defects: listOf(text) });

export const reviewShape: Shape<ReviewGiven> = (value, path) => {
  const given = review(value, path);
  const fits = given.defects.length <= defectsMax && given.defects.every(({ length }) => length <= defectCharactersMax);
  if (fits && given.isDefective === given.defects.length > 0) return given;
  throw new ShapeError(path, `a review: defective with 1 to ${defectsMax} defects, or good with none`, value);
};
