import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError, toStoredError, TuttiError } from "./errors.ts";
import { findSecret, redactSecrets, watchEnvironment, watchSecret } from "./known-secrets.ts";
import { refuseSecrets } from "./refuse-secrets.ts";
import { toSecretForms } from "./secret-forms.ts";

const utf8 = (text: string): Buffer => Buffer.from(text.toWellFormed(), "utf8");
const json = (text: string): string => JSON.stringify(text);

/** How programs write a value into what they answer, log and store. */
const encodings: Readonly<Record<string, (value: string, around: string) => string>> = {
  plain: (value, around) => around + value + around,
  json: (value, around) => json(around + value + around),
  "json in json": (value, around) => json(json(around + value)),
  "json in json in json": (value, around) => json(json(json(value + around))),
  "json for ascii": (value) =>
    json(value).replaceAll(/[\u0080-\uFFFF]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  "json of php": (value) => json(value).replaceAll("/", String.raw`\/`),
  "ascii in json": (value) =>
    json(
      json(value).replaceAll(
        /[\u0080-\uFFFF]/g,
        (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ),
    ),
  address: (value, around) =>
    `https://example.com/?a=${encodeURIComponent(around)}&b=${encodeURIComponent(value.toWellFormed())}`,
  "address in lower case": (value) =>
    encodeURIComponent(value.toWellFormed()).replaceAll(/%../g, (part) => part.toLowerCase()),
  form: (value, around) => new URLSearchParams({ around, value: value.toWellFormed() }).toString(),
  hex: (value, around) => utf8(around).toString("hex") + utf8(value).toString("hex"),
  HEX: (value) => utf8(value).toString("hex").toUpperCase(),
  base64: (value, around) => Buffer.concat([utf8(around), utf8(value), utf8(around)]).toString("base64"),
  base64url: (value, around) => Buffer.concat([utf8(around), utf8(value), utf8(around)]).toString("base64url"),
  "basic authorization": (value) => `Basic ${btoa("user:")}${utf8(`user:${value}`).toString("base64")}`,
};

const values = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 60 }),
    fc.string({ unit: "binary", minLength: 8, maxLength: 40 }),
    fc.base64String({ minLength: 8, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom('"', "\\", "/", "\n", "ä", "%", "a"), minLength: 8, maxLength: 20 }),
  )
  .filter((value) => value.length >= 8);

test.each(Object.entries(encodings))(
  "a secret that stands anywhere in a text is found and taken out: %s",
  verifies("G10"),
  (_name, encode) => {
    fc.assert(
      fc.property(values, fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (value, around, before) => {
        watchSecret("canary", value);
        const text = before + encode(value, around);
        expect(findSecret(text)).toBeDefined();
        const redacted = redactSecrets(text);
        expect(redacted).toContain("secret://");
        expect(findSecret(redacted)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  },
);

test("what holds no form of a secret is never taken for one", verifies("G10"), () => {
  const forms = toSecretForms("correct-horse-7");
  watchSecret("horse", "correct-horse-7");
  const piece = fc.constantFrom(
    "correct",
    "-horse",
    "-7",
    "-",
    "Y29ycmVjd",
    "636f",
    ...forms.map((form) => form.slice(0, -1)),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      const isThere = forms.some((form) => text.includes(form));
      expect(redactSecrets(text) !== text).toBe(isThere);
    }),
  );
});

test("what stands around a secret stays as it is, also when two of them overlap", verifies("G10"), () => {
  watchSecret("first", "alpha-beta-gamma");
  watchSecret("second", "beta-gamma-delta");
  expect(redactSecrets("a alpha-beta-gamma b")).toBe("a secret://first b");
  expect(redactSecrets("a alpha-beta-gamma-delta b")).toBe("a secret://first b");
  expect(redactSecrets("alpha-beta-gammabeta-gamma-delta")).toBe("secret://firstsecret://second");
});

test("of a key as long as a page the beginning is found, and the whole is taken out", verifies("G10"), () => {
  const key = Array.from({ length: 60 }, (_, line) => `line ${line} of the key\n`).join("");
  watchSecret("page", key);
  expect(redactSecrets(`a${key}b`)).toBe("asecret://pageb");
  expect(redactSecrets(`a${JSON.stringify(key)}b`)).toBe(`a"secret://page"b`);
});

test("values shorter than eight letters are not looked for", () => {
  watchSecret("short", "1234567");
  expect(findSecret("1234567")).toBeUndefined();
});

test("a refusal names the secret and the place, and repeats the value nowhere", verifies("G10"), () => {
  watchSecret("named", "named-canary-1");
  const refusal = ((): unknown => {
    try {
      refuseSecrets("xnamed-canary-1x", "the step named-canary-1");
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  if (!isTuttiError(refusal)) throw new Error("it was not refused");
  expect(refusal).toMatchObject({
    code: "SECRET_EXPOSED",
    message: "the step secret://named holds the value of secret://named",
    facts: { secret: "named", where: "the step secret://named" },
  });
});

test("an error is stored without the secrets in its message, hint, facts, name and causes", verifies("G10"), () => {
  const canary = "stored-canary-2";
  watchSecret("stored", canary);
  const cause = new Error(`x${canary}`, { cause: new Error(`y ${canary}`, { cause: { token: canary } }) });
  cause.name = canary;
  const error = new TuttiError("TOOL_FAILED", `${"m".repeat(3_990)}${canary}`, {
    hint: canary,
    facts: { [canary]: canary, list: ["a", canary] },
    cause: new TuttiError("TOOL_FAILED", canary, { cause }),
  });
  const stored = toStoredError(error);
  expect(JSON.stringify(stored)).not.toContain("canary");
  expect(stored).toMatchObject({ hint: "secret://stored", facts: { list: ["a", "secret://stored"] } });
  expect(stored.causes).toHaveLength(4);
});

test(
  "keys of providers in the environment are looked for; placeholders and other variables are not",
  verifies("G10"),
  () => {
    watchEnvironment({
      OPENAI_API_KEY: "sk-proj-0123456789abcdef",
      REPLICATE_API_TOKEN: "r8_0123456789abcdef",
      HF_TOKEN: "hf_0123456789abcdef",
      GROQ_API_KEY: "not-needed-for-a-local-model",
      MISTRAL_API_KEY: "your key 1 goes here",
      XAI_API_KEY: undefined,
      DATA_FOLDER: "/srv/0123456789abcdef",
    });
    const found = ["sk-proj-0123456789abcdef", "r8_0123456789abcdef", "hf_0123456789abcdef"].map((key) =>
      findSecret(key),
    );
    expect(found).toEqual(["OPENAI_API_KEY", "REPLICATE_API_TOKEN", "HF_TOKEN"]);
    for (const text of ["not-needed-for-a-local-model", "your key 1 goes here", "/srv/0123456789abcdef"])
      expect(findSecret(text)).toBeUndefined();
  },
);

afterEach(() => vi.restoreAllMocks());

test("of too many values the longest unused is forgotten, and that is said once", () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  watchSecret("old", "the-old-value-of-one");
  watchSecret("used", "the-used-value-of-one");
  expect(findSecret("the-old-value-of-one")).toBe("old");
  for (let index = 0; index < 300; index++) {
    watchSecret(`many-${index}`, `one-of-many-values-${index}-`);
    if (index === 150) watchSecret("used", "the-used-value-of-one");
  }
  const found = ["the-old-value-of-one", "one-of-many-values-44-", "one-of-many-values-45-", "the-used-value-of-one"];
  expect(found.map(findSecret)).toEqual([undefined, undefined, "many-45", "used"]);
  expect(warn.mock.calls.length).toBeLessThanOrEqual(1);
});
