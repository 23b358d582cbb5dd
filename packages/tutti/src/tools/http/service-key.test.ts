import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { findSecret } from "../../base/known-secrets.ts";
import { secret } from "../secret.ts";
import { openKey, type ServiceKey } from "./service-key.ts";

const broken = (): never => {
  throw new Error("the vault is shut");
};

const use = { provider: "atlas", url: "https://atlas.example/search", signal: new AbortController().signal };

test(
  "a key is a value, a function that has it, or a secret, and is looked for from then on",
  verifies("G10"),
  async () => {
    const handle = secret({ name: "atlas", from: () => "value-of-a-handle", hosts: ["atlas.example"] });
    const keys: readonly (readonly [ServiceKey, string])[] = [
      [" plain-value-of-a-key ", "plain-value-of-a-key"],
      [async () => "value-of-a-function", "value-of-a-function"],
      [handle, "value-of-a-handle"],
    ];
    for (const [key, value] of keys) {
      expect(await openKey(key, use)).toBe(value);
      expect(findSecret(`it says ${value} here`)).toBe("atlas");
    }
  },
);

test(
  "a key that can't be had ends the call before anything was sent, and a secret goes nowhere else",
  verifies("G10", "K4"),
  async () => {
    expect(await errorOf(openKey(broken, use))).toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
    expect(await errorOf(openKey("  ", use))).toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
    const handle = secret({ name: "atlas", from: () => "value-of-a-handle", hosts: ["atlas.example"] });
    const elsewhere = { ...use, url: "https://elsewhere.example/" };
    expect(await errorOf(openKey(handle, elsewhere))).toMatchObject({ code: "SECRET_MISPLACED", effect: "none" });
  },
);
