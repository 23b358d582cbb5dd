import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import path from "node:path";

import { expect, onTestFinished } from "vitest";

import { toSecretForms } from "../packages/tutti/src/base/secret-forms.ts";

/** A value that must turn up nowhere but in the request that it is for. */
export const canary = "canary/7f3a9c2e+b1d4=";

/** Fails when a text holds the canary, in whatever form, and says which one and where. */
export function expectNoCanary(texts: Readonly<Record<string, string>>): void {
  const found = Object.entries(texts).flatMap(([where, text]) =>
    toSecretForms(canary)
      .filter((form) => text.includes(form))
      .map((form) => `${where}: ${form}`),
  );
  expect(found).toEqual([]);
}

/** The bytes of every file in a folder and below, as they are on the disk. */
export function readBytes(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(name, "latin1")]));
}

export interface EchoServer {
  readonly url: string;
  readonly received: readonly IncomingMessage["headers"][];
}

/** A service that repeats to everyone what it was sent, after `onRequest`. */
export async function openEchoServer(onRequest?: (index: number) => Promise<void> | void): Promise<EchoServer> {
  const received: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    const index = received.push(request.headers) - 1;
    void Promise.resolve(onRequest?.(index)).then(() => response.end(JSON.stringify(request.headers)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("a listening server has an address");
  return { url: `http://127.0.0.1:${address.port}/`, received };
}
