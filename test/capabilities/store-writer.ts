// Stores objects until it is killed, and says the hash of each that was acknowledged: `store-writer.ts <folder> <seed> <which>`.
// Both writers of a seed store the same contents, from opposite ends, so that they meet.
import { folderStore } from "../../packages/tutti/src/tools/storage/folder-store.ts";

const [, , folder = "", seed = "", which = "0"] = process.argv;
const store = folderStore({ folder });
const objectsMax = 10_000;
const { signal } = new AbortController();

for (let count = 0; count < objectsMax; count++) {
  const number = which === "0" ? count : 20 - (count % 21);
  const content = Buffer.alloc(200_000 + number, `${seed}/${number}/`);
  const { hash } = await store.put(
    { content, mediaType: "text/plain", from: { run: seed, step: `/${which}/${count}` } },
    signal,
  );
  process.stdout.write(`${hash}\n`);
}
