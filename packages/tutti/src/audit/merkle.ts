import { hash } from "node:crypto";

/**
 * The leaf of an entry: SHA-256(0x00 ‖ the 32 bytes of its seal). The seal covers the digest of the body and not the body, so a payload
 * that was erased leaves every leaf, proof and root as it was; and a log can be rebuilt without reading one payload.
 */
export function toLeaf(seal: string): Buffer {
  return hash("sha256", Buffer.concat([leafPrefix, Buffer.from(seal, "hex")]), "buffer");
}

const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

function toNode(left: Buffer, right: Buffer): Buffer {
  return hash("sha256", Buffer.concat([nodePrefix, left, right]), "buffer");
}

/** The roots of the whole subtrees that a log of some size is made of, the largest first: all that has to be known to add to it (RFC 6962). */
export class Frontier {
  size: number;
  private readonly peaks: Buffer[];

  constructor(size = 0, peaks: readonly string[] = []) {
    this.size = size;
    this.peaks = peaks.map((peak) => Buffer.from(peak, "hex"));
  }

  add(leaf: Buffer): void {
    this.size += 1;
    let node = leaf;
    for (let rest = this.size; rest % 2 === 0; rest /= 2) {
      const left = this.peaks.pop();
      if (left !== undefined) node = toNode(left, node);
    }
    this.peaks.push(node);
  }

  /** 64 hexadecimal digits. */
  root(): string {
    const root = this.peaks.reduceRight<Buffer | undefined>(
      (right, left) => (right === undefined ? left : toNode(left, right)),
      undefined,
    );
    return (root ?? hash("sha256", "", "buffer")).toString("hex");
  }

  toPeaks(): readonly string[] {
    return this.peaks.map((peak) => peak.toString("hex"));
  }
}

/** A whole log in memory, 64 bytes a leaf, for proofs. Sizes below 2^31. */
export class MerkleTree {
  /** `levels[level][index]`: the root of the whole subtree of 2^level leaves. */
  private readonly levels: Buffer[][] = [[]];

  get size(): number {
    return this.levels[0]?.length ?? 0;
  }

  add(leaf: Buffer): void {
    let node = leaf;
    for (let level = 0; ; level++) {
      const nodes = (this.levels[level] ??= []);
      nodes.push(node);
      const left = nodes.at(-2);
      if (nodes.length % 2 === 1 || left === undefined) return;
      node = toNode(left, node);
    }
  }

  /** The path from a leaf to the root of the first `size` leaves (RFC 6962, 2.1.1), 64 hexadecimal digits each. */
  proveInclusion(index: number, size: number): readonly string[] {
    return this.path(index, { start: 0, size }).map((node) => node.toString("hex"));
  }

  /** That the first `to` leaves begin with the first `from` (RFC 6962, 2.1.2). */
  proveConsistency(from: number, to: number): readonly string[] {
    if (from === 0) return [];
    return this.difference(from, { start: 0, size: to }, true).map((node) => node.toString("hex"));
  }

  private path(index: number, { start, size }: Range): readonly Buffer[] {
    if (size <= 1) return [];
    const { left, right } = halve({ start, size });
    return index < left.size
      ? [...this.path(index, left), this.nodeOf(right)]
      : [...this.path(index - left.size, right), this.nodeOf(left)];
  }

  private difference(from: number, range: Range, isKnown: boolean): readonly Buffer[] {
    if (from === range.size) return isKnown ? [] : [this.nodeOf(range)];
    const { left, right } = halve(range);
    return from <= left.size
      ? [...this.difference(from, left, isKnown), this.nodeOf(right)]
      : [...this.difference(from - left.size, right, false), this.nodeOf(left)];
  }

  private nodeOf(range: Range): Buffer {
    const level = 31 - Math.clz32(range.size);
    const whole = range.size === 2 ** level ? this.levels[level]?.[range.start / range.size] : undefined;
    if (whole !== undefined) return whole;
    const { left, right } = halve(range);
    return toNode(this.nodeOf(left), this.nodeOf(right));
  }
}

interface Range {
  readonly start: number;
  readonly size: number;
}

/** At the largest power of two below its size. */
function halve({ start, size }: Range): { readonly left: Range; readonly right: Range } {
  const leftSize = 2 ** (31 - Math.clz32(size - 1));
  return { left: { start, size: leftSize }, right: { start: start + leftSize, size: size - leftSize } };
}
