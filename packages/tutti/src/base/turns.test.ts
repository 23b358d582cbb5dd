import { setImmediate as nextMacrotask } from "node:timers/promises";

import { expect, test } from "vitest";

import { closeWindowAfterMicrotasks, takeTurnNext } from "./turns.ts";

function note(log: string[], name: string, onTurn?: () => void): Parameters<typeof takeTurnNext>[0] {
  return {
    takeTurn() {
      log.push(`turn of ${name}`);
      onTurn?.();
    },
    closeWindow: () => void log.push(`window of ${name}`),
  };
}

const fail = (): never => {
  throw new Error("planted");
};

test("a window closes after every microtask, however long their chain, and before any other macrotask", async () => {
  const log: string[] = [];
  setImmediate(() => log.push("immediate"));
  closeWindowAfterMicrotasks(note(log, "a"));
  const chain = (async () => {
    for (let at = 0; at < 50; at++) await Promise.resolve();
    closeWindowAfterMicrotasks(note(log, "b"));
    for (let at = 0; at < 50; at++) await Promise.resolve();
    log.push("microtasks");
  })();
  await chain;
  await nextMacrotask();
  expect(log).toEqual(["microtasks", "window of a", "window of b", "immediate"]);
});

test("all have their turns in one macrotask, also behind one that throws", async () => {
  const log: string[] = [];
  takeTurnNext(note(log, "a"));
  takeTurnNext(note(log, "b", () => queueMicrotask(() => log.push("microtask"))));
  takeTurnNext(note(log, "c"));
  await nextMacrotask();
  expect(log).toEqual(["turn of a", "turn of b", "turn of c", "microtask"]);

  const thrown: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.once("uncaughtException", (error) => thrown.push(error.message));
  takeTurnNext(note(log, "d", fail));
  takeTurnNext(note(log, "e"));
  await nextMacrotask();
  await nextMacrotask();
  for (const listener of others) process.on("uncaughtException", listener);
  expect(thrown).toEqual(["planted"]);
  expect(log.at(-1)).toBe("turn of e");
});
