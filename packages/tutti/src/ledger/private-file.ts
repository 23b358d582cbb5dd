import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import path from "node:path";

import { TuttiError } from "../base/errors.ts";
import { syncFolder } from "./sqlite/ledger-file.ts";

/** A new file that only its owner can read; on disk when it returns. @throws what the file system says, also when it exists */
export function createPrivateFile(file: string, content: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(path.dirname(file));
}

/** @throws TuttiError CONFIG_INVALID when others can read it */
export function readPrivateFile(file: string, about: { readonly what: string; readonly hint: string }): string {
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) {
    throw new TuttiError("CONFIG_INVALID", `others can read ${about.what} in ${file}`, {
      hint: about.hint,
      facts: { path: file },
    });
  }
  return readFileSync(file, "utf8");
}
