import { fstatSync, ftruncateSync, writeSync } from "node:fs";

const chunk = Buffer.alloc(256 * 1024);

/**
 * Lets the -wal file grow by large pieces of zeros, up to `bytesMax`: a sync of a file that has just grown has to write its new length down
 * too, and takes twice as long. SQLite writes its frames over the zeros; whatever follows the last frame has not the salt of the file's
 * header, so it is never read as one (sqlite.org/walformat.html). To be called in a transaction, when nobody else writes to the file.
 */
export function openWalGrowth(descriptor: number, bytesMax: number): () => void {
  let length = fstatSync(descriptor).size;
  return () => {
    if (length >= bytesMax) return;
    const { size } = fstatSync(descriptor);
    if (size > length) length = lengthen(descriptor, size) ? size + chunk.length : Number.POSITIVE_INFINITY;
  };
}

/** False when the disk is full: the room that is left belongs to frames, and whether that is enough SQLite finds out itself. */
function lengthen(descriptor: number, size: number): boolean {
  try {
    if (writeSync(descriptor, chunk, 0, chunk.length, size) === chunk.length) return true;
  } catch {
    // nothing of it, or a part
  }
  ftruncateSync(descriptor, size);
  return false;
}
