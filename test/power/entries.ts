import { sha256 } from "../../packages/tutti/src/base/hash.ts";
import type { NewEntry } from "../../packages/tutti/src/ledger/ledger.ts";

/** Some 300 bytes, like a small result. */
export function toStep(name: string): NewEntry {
  return { kind: "step-done", key: `/step/${name}`, body: JSON.stringify({ out: name.padEnd(300, ".") }) };
}

/** Some 6,000 bytes beside the entry, so that a blob covers more than a page. */
export function toStepWithBlob(index: number): NewEntry {
  const content = `value ${index} `.repeat(600);
  const blob = { hash: sha256(content), content };
  return {
    kind: "step-done",
    key: `/blob/${index}`,
    body: JSON.stringify({ outRef: { hash: blob.hash, bytes: content.length } }),
    blobs: [blob],
  };
}
