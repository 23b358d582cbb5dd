/** 95 of 100 draws of a standard normal are below it. */
export const oneSided95 = 1.6449;
/** 95 of 100 draws of a standard normal are nearer to 0 than it. */
const twoSided95 = 1.96;

/**
 * The lower end of Wilson's score interval (E. B. Wilson, JASA 22, 1927): the least that a share is, by `hits` of `count` cases.
 * (p̂ + z²/2n − z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n); 0 without cases.
 */
export function toWilsonLower(hits: number, count: number, z: number): number {
  if (count === 0) return 0;
  const share = hits / count;
  const spread = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const lower = (share + z ** 2 / (2 * count) - spread) / (1 + z ** 2 / count);
  return Math.min(share, Math.max(0, lower)); // where it is 0, rounding leaves 1e-18
}

/**
 * One step of a Bernoulli CUSUM (Reynolds and Stoumbos, J. Quality Technology 31, 1999): grows while `isHit` comes more often than
 * `usual`, fastest when it comes `alarming` often. An alarm is a sum above a bound.
 */
export function addToCusum(
  sum: number,
  isHit: boolean,
  rates: { readonly usual: number; readonly alarming: number },
): number {
  const { usual, alarming } = rates;
  return Math.max(0, sum + Math.log(isHit ? alarming / usual : (1 - alarming) / (1 - usual)));
}

/** One thing that was drawn with this probability, and whether it counts. */
export interface Drawn {
  readonly probability: number;
  readonly isHit: boolean;
}

/** A share of all, by those that were drawn; from `low` to `high` in 95 of 100 cases. */
export interface Estimate {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Horvitz and Thompson's estimate (JASA 47, 1952) of the share of hits among `total`, of which each was drawn by itself with its own
 * probability π: Σ y/π divided by the total, without bias whatever the probabilities are. Its variance is estimated by Σ y(1−π)/π².
 * Without any hit that is 0: then the upper end is the most hits D of which none would have been drawn with 5 %, (1−π_min)^D = 0.05.
 */
export function estimateShare(drawn: readonly Drawn[], total: number, probabilityMin: number): Estimate {
  if (total === 0) return { share: 0, low: 0, high: 1 };
  const hits = drawn.filter(({ isHit }) => isHit);
  const share = hits.reduce((sum, { probability }) => sum + 1 / probability, 0) / total;
  const variance = hits.reduce((sum, { probability }) => sum + (1 - probability) / probability ** 2, 0) / total ** 2;
  const unseen = probabilityMin >= 1 ? 0 : Math.log(0.05) / Math.log(1 - probabilityMin) / total;
  const spread = hits.length === 0 ? unseen : twoSided95 * Math.sqrt(variance);
  return { share, low: Math.max(0, share - spread), high: Math.min(1, share + spread) };
}
