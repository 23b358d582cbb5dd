import path from "node:path";

import { describeThrown } from "../../base/errors.ts";

/** One document as plain text. */
export interface Source {
  /** Names it to people and models: the folder's name and the path in it, `docs/guide/limits.md`. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly kind: SourceKind;
  /** Where it is on this machine. */
  readonly file: string;
}

export type SourceKind = "markdown" | "text" | "html" | "pdf";

/** A file or folder that was passed over, and why. */
export interface SkippedSource {
  readonly path: string;
  readonly why: string;
}

/** A file that may become a source. */
export interface FoundFile {
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
}

const kindByEnding: Readonly<Record<string, SourceKind>> = {
  ".md": "markdown",
  ".markdown": "markdown",
  ".mdx": "markdown",
  ".txt": "text",
  ".text": "text",
  ".html": "html",
  ".htm": "html",
  ".pdf": "pdf",
};

export function toSourceKind(name: string): SourceKind | undefined {
  return kindByEnding[path.extname(name).toLowerCase()];
}

export function isReadable(name: string): boolean {
  return toSourceKind(name) !== undefined;
}

/** Why a file system said no, without its path. */
export function toReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") return "may not be read by this user";
  if (code === "ENOENT") return "disappeared while it was read";
  return typeof code === "string" ? `can't be read (${code})` : `can't be read: ${describeThrown(error)}`;
}
