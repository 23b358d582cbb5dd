import { expect, test } from "vitest";

import { verifies } from "../../test/verifies.ts";
import { play } from "../stage/play.ts";

test("every question is answered once, also those of an agent that is killed", verifies("X7", "C8", "D1"), async () => {
  const { code, out, err } = await play("research-questions");
  expect(err).toBe("");
  expect(out).toMatch(/(\w+) was ended by SIGKILL at \w+; its lease ran out, and (?!\1)\w+ answered/);
  expect(out).toContain("✓ every question was answered exactly once");
  expect(code).toBe(0);
});

test("an agent that changes what it quotes is caught", async () => {
  const fault = {
    file: "finder.ts",
    from: 'quote: best?.text ?? ""',
    to: 'quote: (best?.text ?? "").replace("a ", "no ")',
  };
  const { code, out } = await play("research-questions", [fault]);
  expect(out).toContain("✗ every answer stands in the library, word for word");
  expect(code).toBe(1);
});

test("another library gives another answer", async () => {
  const change = { file: "inputs/library/wind.md", from: "about as loud as a refrigerator", to: "louder than a choir" };
  expect((await play("research-questions", [change])).out).toContain("louder than a choir");
});
