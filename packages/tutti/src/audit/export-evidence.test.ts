import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openAuditFolder, writeRuns, type AuditFolder } from "../../../../test/audit/audit-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toRunId } from "../contracts/ids.ts";
import { toAuditFolder } from "./audit-file.ts";
import { exportEvidence } from "./export-evidence.ts";

const verifier = path.resolve(import.meta.dirname, "../../../../tools/verify-evidence.mjs");
let audited: AuditFolder;
let elsewhere: string;
let evidence: string;

beforeAll(async () => {
  audited = openAuditFolder();
  await audited.write((ledger) => writeRuns(ledger, { one: "acme", two: "other", three: "acme" }));
  await audited.checkpoint();
  await audited.write((ledger) => writeRuns(ledger, { four: "acme", five: "" }, 5));
  evidence = await exportRun("four");
  // Another machine: an empty folder with the program, the file, and what the reader kept.
  elsewhere = mkdtempSync(path.join(tmpdir(), "tutti-elsewhere-"));
  copyFileSync(verifier, path.join(elsewhere, "verify.mjs"));
  copyFileSync(path.join(audited.folder, "outside", "anchor.txt"), path.join(elsewhere, "kept.txt"));
});
afterAll(() => {
  audited[Symbol.dispose]();
  rmSync(elsewhere, { recursive: true, force: true });
});

function exportRun(run: string): Promise<string> {
  const { file, anchor } = audited;
  const { signal } = new AbortController();
  const folder = toAuditFolder(file);
  return audited.look((ledger) => exportEvidence({ ledger, folder, run: toRunId(run), anchors: [anchor], signal }));
}

function check(
  content: string | Uint8Array,
  ...args: readonly string[]
): { readonly status: number | null; readonly text: string } {
  writeFileSync(path.join(elsewhere, "run.evidence"), content);
  const { status, stdout } = spawnSync(process.execPath, ["verify.mjs", "run.evidence", ...args], {
    cwd: elsewhere,
    env: {},
    encoding: "utf8",
  });
  return { status, text: stdout };
}

test(
  "the evidence of a run is verified elsewhere by a program of one file: entries, values, log, keys, anchor; and it says why",
  verifies("G12", "G13"),
  () => {
    const { status, text } = check(evidence, "--anchor", "kept.txt");
    expect(text).toContain("intact: run four, 6 entries, among 14 of tutti.log/");
    expect(text).toContain("begins with the 14 entries that");
    expect(text).toContain("the very state of the log was kept by the reader");
    expect(text).toContain("The run of pay (version 1) is still open. [1]");
    expect(status).toBe(0);
  },
);

test("it says where a policy decided, also where that stands in an intent", verifies("G13"), async () => {
  const decided = {
    rules: ["r"],
    policy: { name: "house", version: "1" },
    context: { run: "six", flow: "pay", approvals: [] },
  };
  const body = JSON.stringify({ effect: "e", tool: "bank.pay", class: "once", digest: "d", decided });
  await audited.write(async (ledger) => {
    await writeRuns(ledger, { six: "" }, 1);
    const claim = await ledger.claim(toRunId("six"));
    await claim.log.append({ kind: "effect-intended", key: "/bank.pay", body });
  });
  const exported = await exportRun("six");
  expect(check(exported).status).toBe(0);
  expect(JSON.parse(exported.slice(0, exported.indexOf("\n")))).toMatchObject({ decisions: { policies: [3] } });
});

test("it holds what a reader needs, and nothing of other tenants", verifies("G13"), () => {
  expect(evidence).toContain("large value 2 of four");
  for (const other of ["large value 2 of two", '"five"', '"three"']) expect(evidence).not.toContain(other);
});

/** A sentence of the program, or of the JSON reader in it. */
const anyFault = /./u;

/** Without a process for each: the program's text, its reading and leaving replaced. */
async function loadChecker(): Promise<(content: string) => void> {
  const source = readFileSync(verifier, "utf8")
    .replace(/^main\(.*\);$/mu, "export { verifyEvidence };")
    .replace("process.exit(exitCode)", "throw new Error(text)");
  const module: unknown = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exported by the line above
  const { verifyEvidence } = module as {
    verifyEvidence: (content: string, key: undefined, kept: readonly string[]) => unknown;
  };
  return (content) => void verifyEvidence(content, undefined, []);
}

test("any single changed byte is found", { ...verifies("G12", "G13"), timeout: 30_000 }, async () => {
  const verify = await loadChecker();
  const bytes = Buffer.from(evidence);
  verify(evidence);
  const place = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(place, ([at, change]) => {
      const changed = Buffer.from(bytes);
      changed[at] = (bytes[at] ?? 0) ^ change;
      expect(() => verify(changed.toString("utf8"))).toThrow(anyFault);
    }),
    { numRuns: 400 },
  );
  for (const changed of [evidence.slice(0, -1), `${evidence}\n`, `${evidence} `, evidence.slice(1)])
    expect(() => verify(changed)).toThrow(anyFault);
});

test(
  "evidence that was signed by another key is found by who knows the key, or kept an anchor",
  verifies("G13"),
  async () => {
    using forger = openAuditFolder();
    await forger.write((ledger) => writeRuns(ledger, { four: "acme" }));
    const { publicKey } = await forger.checkpoint();
    expect(publicKey).not.toBe("");
    const forged = await forger.look((ledger) =>
      exportEvidence({
        ledger,
        folder: toAuditFolder(forger.file),
        run: toRunId("four"),
        anchors: [],
        signal: new AbortController().signal,
      }),
    );
    expect(check(forged).status).toBe(0); // by itself nothing tells whose key it is
    expect(check(forged, "--key", "0123456789abcdef")).toMatchObject({
      status: 1,
      text: expect.stringContaining("not 0123456789abcdef"),
    });
  },
);
