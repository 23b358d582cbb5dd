import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { mailInput, toCapability } from "../../../../test/identity/capability-fixture.ts";
import { makeFolder } from "../../../../test/mcp/mcp-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { openCapabilitySigner } from "./capability-signer.ts";
import { openCapabilityUses } from "./capability-uses.ts";
import { openSigningKeys } from "./signing-keys.ts";
import { verifyCapability } from "./verify-capability.ts";

const toFile = (): string => join(makeFolder(), "deep", "keys.json");

test(
  "keys are made once, only their owner can read them, and nothing private is published",
  verifies("G9"),
  async () => {
    const file = toFile();
    const first = await openSigningKeys(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await openSigningKeys(file)).kid).toBe(first.kid);
    expect(first.published.keys).toEqual([
      { kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", kid: first.kid, x: expect.any(String) },
    ]);
  },
);

test(
  "after a rotation the new key signs, and what the old one signed counts until it expires",
  verifies("G9"),
  async () => {
    const file = toFile();
    const clock = openManualClock();
    const place = { trustDomain: "tutti.local", keyFile: file };
    const signer = await openCapabilitySigner(place);
    const old = await signer.sign(toCapability(clock.now(), { id: "old" }));
    const [before] = signer.keys().keys;
    await signer.rotate();
    const fresh = await signer.sign(toCapability(clock.now(), { id: "fresh" }));
    expect(signer.keys().keys[1]).toEqual(before);
    const stored: { keys: readonly object[] } = JSON.parse(readFileSync(file, "utf8"));
    expect(stored.keys.map((key) => "d" in key)).toEqual([true, false]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.new`)).toBe(false);
    const expected = { audience: "mail.send", input: mailInput, uses: openCapabilityUses(), clock };
    const { keys } = await openCapabilitySigner(place).then((again) => ({ keys: again.keys() }));
    expect(await verifyCapability(old, { ...expected, keys })).toMatchObject({ id: "old" });
    // A document that is fetched each time is as good.
    expect(await verifyCapability(fresh, { ...expected, keys: () => Promise.resolve(keys) })).toMatchObject({
      id: "fresh",
    });
    for (let count = 0; count < 5; count++) await signer.rotate();
    expect(signer.keys().keys).toHaveLength(4);
    const gone = verifyCapability(old, { ...expected, keys: signer.keys(), uses: openCapabilityUses() });
    expect(await errorOf(gone)).toMatchObject({ code: "CAPABILITY_INVALID" });
  },
);

test("a rotation that died before its end leaves the old keys", async () => {
  const file = toFile();
  const { kid, rotate } = await openSigningKeys(file);
  writeFileSync(`${file}.new`, "half");
  expect((await openSigningKeys(file)).kid).toBe(kid);
  await rotate();
  expect((await openSigningKeys(file)).kid).not.toBe(kid);
});

test("keys that others can read, or that are damaged, are refused", verifies("G9"), async () => {
  const file = toFile();
  await openSigningKeys(file);
  chmodSync(file, 0o644);
  expect(await errorOf(openSigningKeys(file))).toMatchObject({
    code: "CONFIG_INVALID",
    hint: expect.stringContaining("chmod"),
  });
  chmodSync(file, 0o600);
  for (const content of ["{", "{}", `{"keys":[]}`, `{"keys":[{"kid":"a","crv":"Ed25519","x":"AA","d":"AA"}]}`]) {
    writeFileSync(file, content);
    expect(await errorOf(openSigningKeys(file))).toMatchObject({ code: "CONFIG_INVALID" });
  }
});
