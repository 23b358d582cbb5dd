import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";

import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import { sha256 } from "../../packages/tutti/src/base/hash.ts";
import type { NewObject, ObjectStore } from "../../packages/tutti/src/tools/storage/object-store.ts";
import { verifies } from "../verifies.ts";

export interface OpenedStore {
  readonly store: ObjectStore;
  readonly close: () => Promise<void> | void;
}

const { signal } = new AbortController();

export function toObject(content: string | Uint8Array, changes: Partial<NewObject> = {}): NewObject {
  return { content: Buffer.from(content), mediaType: "text/plain", from: { run: "r1", step: "/a" }, ...changes };
}

/** What every store promises, with an empty one for each test. */
export function describeObjectStore(name: string, open: () => Promise<OpenedStore>): void {
  const openStore = async (): Promise<ObjectStore> => {
    const { store, close } = await open();
    onTestFinished(close);
    return store;
  };
  describe.for([{ name }])("$name", () => {
    describeKeeping(openStore);
    describeRefusing(openStore);
  });
}

function describeKeeping(openStore: () => Promise<ObjectStore>): void {
  test("what is stored comes back under its hash, with its media type", verifies("S5"), async () => {
    const store = await openStore();
    const stored = await store.put(toObject("hello", { mediaType: "text/markdown" }), signal);
    expect(stored).toMatchObject({ hash: sha256("hello"), bytes: 5, mediaType: "text/markdown" });
    expect(stored.uri).toContain(stored.hash);
    const found = await store.get(stored.hash, signal);
    expect(found?.object).toEqual(stored);
    expect(Buffer.from(found?.content ?? []).toString()).toBe("hello");
  });

  test("the same content is one object, with everyone who stored it", verifies("S5"), async () => {
    const store = await openStore();
    const first = await store.put(toObject("same", { from: { run: "r1", step: "/a", name: "a.txt" } }), signal);
    const second = await store.put(toObject("same", { from: { run: "r2", step: "/b" } }), signal);
    const again = await store.put(toObject("same", { from: { run: "r2", step: "/b" } }), signal);
    expect([second, again]).toEqual([first, first]);
    const { from = [], ...about } = (await store.head(first.hash, signal)) ?? {};
    expect(about).toEqual(first);
    expect(from.toSorted((left, right) => left.run.localeCompare(right.run))).toEqual([
      { run: "r1", step: "/a", name: "a.txt" },
      { run: "r2", step: "/b" },
    ]);
  });

  test("many writers of the same and of other content at once disturb nobody", async () => {
    const store = await openStore();
    const contents = Array.from({ length: 24 }, (_, index) => `content ${index % 6}`);
    const stored = await Promise.all(
      contents.map((content, index) =>
        store.put(toObject(content, { from: { run: `r${index}`, step: "/a" } }), signal),
      ),
    );
    expect(stored.map(({ hash }) => hash)).toEqual(contents.map(sha256));
    const found = await store.head(sha256("content 0"), signal);
    expect(found?.from.map(({ run }) => run).toSorted()).toEqual(["r0", "r12", "r18", "r6"]);
  });

  test("any bytes come back as they went in", verifies("S5"), async () => {
    const store = await openStore();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (content) => {
        const { hash, bytes } = await store.put(toObject(content), signal);
        expect([hash, bytes]).toEqual([sha256(content), content.length]);
        const found = await store.get(hash, signal);
        expect(Buffer.compare(Buffer.from(found?.content ?? [256]), Buffer.from(content))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
}

function describeRefusing(openStore: () => Promise<ObjectStore>): void {
  test("what is not there is an answer; what is no hash is refused", async () => {
    const store = await openStore();
    expect(await store.get(sha256("nothing"), signal)).toBeUndefined();
    expect(await store.head(sha256("nothing"), signal)).toBeUndefined();
    for (const hash of ["", "..", "../../etc/passwd", sha256("a").toUpperCase(), `${sha256("a")}/`, "a".repeat(65)]) {
      await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "INPUT_INVALID" });
      await expect(store.head(hash, signal)).rejects.toMatchObject({ code: "INPUT_INVALID" });
    }
  });

  test("an object that is too large, or says no media type, is refused before anything is stored", async () => {
    const store = await openStore();
    const large = toObject(new Uint8Array(70_000));
    await expect(store.put(large, signal)).rejects.toMatchObject({ code: "INPUT_INVALID", effect: "none" });
    expect(await store.head(sha256(large.content), signal)).toBeUndefined();
    for (const mediaType of ["", "text", "text/plain\r\nx: y", "Text/Plain", "a/".padEnd(300, "b")])
      await expect(store.put(toObject("a", { mediaType }), signal)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("a call that was aborted before it began does nothing", async () => {
    const store = await openStore();
    const reason = new Error("over");
    const aborted = AbortSignal.abort(reason);
    const nothing = expect.toSatisfy(
      (error) => error === reason || (isTuttiError(error) && error.effect === "none" && error.cause === reason),
    );
    await expect(store.put(toObject("never"), aborted)).rejects.toEqual(nothing);
    await expect(store.get(sha256("never"), aborted)).rejects.toEqual(nothing);
    expect(await store.head(sha256("never"), signal)).toBeUndefined();
  });
}
