import { createHash } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { sha256 } from "../base/hash.ts";
import { Frontier, MerkleTree, toLeaf } from "./merkle.ts";

const sizesMax = 300;
const seals = Array.from({ length: sizesMax }, (_, at) => sha256(`entry ${at}`));

function digest(...parts: readonly Buffer[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** RFC 6962, 2.1, word by word and slowly: nothing kept, nothing shared. */
function naiveRoot(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return digest();
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return digest(Buffer.of(0), Buffer.from(only, "hex"));
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return digest(Buffer.of(1), naiveRoot(leaves.slice(0, half)), naiveRoot(leaves.slice(half)));
}

function naivePath(index: number, leaves: readonly string[]): readonly string[] {
  if (leaves.length <= 1) return [];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
  return index < half
    ? [...naivePath(index, left), naiveRoot(right).toString("hex")]
    : [...naivePath(index - half, right), naiveRoot(left).toString("hex")];
}

function naiveDifference(from: number, leaves: readonly string[], isWhole: boolean): readonly string[] {
  if (from === leaves.length) return isWhole ? [] : [naiveRoot(leaves).toString("hex")];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
  return from <= half
    ? [...naiveDifference(from, left, isWhole), naiveRoot(right).toString("hex")]
    : [...naiveDifference(from - half, right, false), naiveRoot(left).toString("hex")];
}

function toTree(size: number): MerkleTree {
  const tree = new MerkleTree();
  for (const seal of seals.slice(0, size)) tree.add(toLeaf(seal));
  return tree;
}

test(
  "the root is that of RFC 6962 at every size, also when the log is taken up again from its peaks",
  verifies("G12"),
  () => {
    let frontier = new Frontier();
    for (let size = 0; size <= sizesMax; size++) {
      expect(frontier.root()).toBe(naiveRoot(seals.slice(0, size)).toString("hex"));
      frontier = new Frontier(size, frontier.toPeaks());
      frontier.add(toLeaf(seals[size] ?? ""));
    }
  },
);

test("the proof of every entry is that of RFC 6962, at every size of the log", verifies("G12"), () => {
  const size = fc.integer({ min: 1, max: sizesMax });
  const place = size.chain((length) => fc.tuple(fc.constant(length), fc.nat(length - 1)));
  const tree = toTree(sizesMax);
  fc.assert(
    fc.property(place, ([length, index]) => {
      expect(tree.proveInclusion(index, length)).toEqual(naivePath(index, seals.slice(0, length)));
    }),
  );
});

test("the proof that a log begins with an earlier one is that of RFC 6962, for all sizes", verifies("G12"), () => {
  const size = fc.integer({ min: 1, max: sizesMax });
  const place = size.chain((to) => fc.tuple(fc.constant(to), fc.nat(to)));
  const tree = toTree(sizesMax);
  fc.assert(
    fc.property(place, ([to, from]) => {
      const expected = from === 0 ? [] : naiveDifference(from, seals.slice(0, to), true);
      expect(tree.proveConsistency(from, to)).toEqual(expected);
    }),
  );
});
