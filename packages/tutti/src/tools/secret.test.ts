import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { format, inspect } from "node:util";
import { serialize } from "node:v8";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { toCanonicalJson, toJsonText } from "../base/json.ts";
import { findSecret } from "../base/known-secrets.ts";
import { secret, type SecretDefinition } from "./secret.ts";

const canary = 'canary-"7"-äöü/+=';
const crm = secret({ name: "crm", from: () => canary, hosts: ["CRM.example.com", "bücher.example:8443", "[::1]"] });

test("a secret shows its name wherever its value could show", verifies("G10"), async () => {
  expect(await crm.reveal("https://crm.example.com/")).toBe(canary);
  const texts = [
    String(crm),
    ["Bearer", crm].join(" "),
    JSON.stringify({ crm }),
    inspect(crm),
    inspect({ crm }, { depth: 9, showHidden: true, customInspect: false }),
    format("%s %o %O %j", crm, crm, crm, crm),
    toJsonText({ crm }, "a step") ?? "",
    toCanonicalJson({ crm }),
    JSON.stringify({ ...crm }),
    serialize({ ...crm }).toString("latin1"),
    new Error("it failed", { cause: crm }).stack ?? "",
  ];
  for (const text of texts) expect(text).not.toContain("canary");
  expect(texts.slice(0, 4)).toEqual(["secret://crm", "Bearer secret://crm", '{"crm":"secret://crm"}', "secret://crm"]);
});

test.each([
  "https://crm.example.com/contacts?limit=1",
  "https://CRM.EXAMPLE.COM:444/",
  "wss://crm.example.com",
  new URL("https://crm.example.com"),
  "https://b\u00FCcher.example:8443/",
  "https://xn--bcher-kva.example:8443/",
  "http://[::1]:8080/",
])("a host of the secret may be sent it: %s", verifies("G10"), async (url) => {
  expect(await crm.reveal(url)).toBe(canary);
});

test.each([
  "https://evil.example/",
  "https://crm.example.com.evil.example/",
  "https://evil-crm.example.com/",
  "https://sub.crm.example.com/",
  "https://crm.example.com@evil.example/",
  "https://evil.example/https://crm.example.com",
  "https://evil.example#crm.example.com",
  "https://bücher.example/",
  "https://bücher.example:443/",
  "http://crm.example.com/",
  "ws://crm.example.com/",
  "file:///etc/crm.example.com",
  "data:text/plain,crm.example.com",
  "crm.example.com",
  "",
])("nobody else may, and nobody in clear text: %s", verifies("G10"), async (url) => {
  const error = await errorOf(crm.reveal(url));
  expect(error).toMatchObject({ code: "SECRET_MISPLACED", disposition: "give-up", effect: "none" });
  expect(inspect(error)).not.toContain("canary");
});

test("whatever the address, the value goes only to the very hosts that were named", verifies("G10"), async () => {
  const part = fc.constantFrom(
    "crm.example.com",
    "evil.example",
    "@",
    ":",
    "/",
    "\\",
    "#",
    "?",
    "//",
    "https:",
    "443",
    ".",
    " ",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const url = `https://${parts.join("")}`;
      const target = URL.parse(url);
      const isMeant = target?.hostname === "crm.example.com" && target.protocol === "https:";
      const given = await crm.reveal(url).catch(() => undefined);
      expect(given).toBe(isMeant ? canary : undefined);
    }),
  );
});

test("a port that was named is the only one", verifies("G10"), async () => {
  const narrow = secret({ name: "narrow", from: () => "a narrow value", hosts: ["a.example:443", "127.0.0.1:80"] });
  await narrow.reveal("https://a.example/");
  await narrow.reveal("http://127.0.0.1/");
  expect(await errorOf(narrow.reveal("https://a.example:444/"))).toMatchObject({ code: "SECRET_MISPLACED" });
  expect(await errorOf(narrow.reveal("https://127.0.0.1/"))).toMatchObject({ code: "SECRET_MISPLACED" });
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tutti-secret-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

const here = "https://a.example/";
const declare = (from: SecretDefinition["from"]): ReturnType<typeof secret> =>
  secret({ name: "some", from, hosts: ["a.example"] });

test("a variable, a file and a function give the value as it is at the moment of the request", async () => {
  vi.stubEnv("TUTTI_TEST_SECRET", "first-of-variable");
  const file = path.join(folder, "secret");
  writeFileSync(file, "first-of-file\r\n");
  const secrets = [declare({ env: "TUTTI_TEST_SECRET" }), declare({ file }), declare(async () => "of-a-function")];
  const revealAll = (): Promise<string[]> => Promise.all(secrets.map((each) => each.reveal(here)));
  expect(await revealAll()).toEqual(["first-of-variable", "first-of-file", "of-a-function"]);
  vi.stubEnv("TUTTI_TEST_SECRET", "second-of-variable");
  writeFileSync(file, "second-of-file\n\n");
  expect(await revealAll()).toEqual(["second-of-variable", "second-of-file\n", "of-a-function"]);
  // What was valid a moment ago is still a secret.
  for (const value of ["first-of-variable", "second-of-variable", "first-of-file"])
    expect(findSecret(value)).toBe("some");
});

test("a variable is looked for from its declaration on, before anybody asked for it", verifies("G10"), () => {
  vi.stubEnv("TUTTI_TEST_SECRET", "never-revealed-value");
  declare({ env: "TUTTI_TEST_SECRET" });
  expect(findSecret("a never-revealed-value")).toBe("some");
});

test("a secret without a value says where it should be", verifies("G10"), async () => {
  const long = path.join(folder, "long");
  writeFileSync(long, "x".repeat(64 * 1024 + 1));
  writeFileSync(path.join(folder, "empty"), "\n");
  const cases: readonly (readonly [SecretDefinition["from"], RegExp])[] = [
    [{ env: "TUTTI_NOT_SET" }, /the environment variable TUTTI_NOT_SET is not set/u],
    [{ file: path.join(folder, "gone") }, /ENOENT/u],
    [{ file: folder }, /EISDIR/u],
    [{ file: path.join(folder, "empty") }, /its file is empty/u],
    [{ file: long }, /more than 65536 bytes/u],
    [{ file: "/dev/zero" }, /more than 65536 bytes/u],
    [() => "", /an empty one/u],
    [() => Promise.reject(new Error("the vault is sealed")), /its source failed: the vault is sealed/u],
  ];
  for (const [from, says] of cases) {
    const error = await errorOf(declare(from).reveal(here));
    expect(error).toMatchObject({ code: "SECRET_MISSING", disposition: "give-up", effect: "none" });
    expect(error.message).toMatch(says);
  }
  expect((await errorOf(declare({ env: "TUTTI_NOT_SET" }).reveal(here))).facts).toMatchObject({
    variable: "TUTTI_NOT_SET",
  });
});

test("a source that says itself what to do is believed, and an aborted request reveals nothing", async () => {
  const sealed = new TuttiError("TOOL_UNAVAILABLE", "the vault restarts");
  expect(await errorOf(declare(() => Promise.reject(sealed)).reveal(here))).toBe(sealed);
  const asked = vi.fn<() => string>(() => "some-value");
  await expect(declare(asked).reveal(here, AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  expect(asked).not.toHaveBeenCalled();
});

test("a declaration that can't work is refused", () => {
  const good: SecretDefinition = { name: "good", from: { env: "GOOD" }, hosts: ["a.example"] };
  const wrong: readonly object[] = [
    { name: "a b" },
    { name: 7 },
    { from: undefined },
    { from: "GOOD" },
    { from: { env: "" } },
    { from: {} },
    { hosts: [] },
    { hosts: "a.example" },
    ...["https://a.example", "a.example/path", "*.a.example", "user@a.example", "a.example:", "a b", "", 7].map(
      (host) => ({ hosts: ["a.example", host] }),
    ),
  ];
  for (const part of wrong) {
    const declaring = (): unknown => secret({ ...good, ...part });
    expect(declaring).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
  }
  expect(secret(good)).toMatchObject({ name: "good", hosts: ["a.example"] });
});
