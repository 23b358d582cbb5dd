import fc from "fast-check";
import { expect, test } from "vitest";

import {
  laterRequests,
  recordedServers,
  requests,
  toRecordedTools,
  type Request,
} from "../../../../../test/registry/recorded-tools.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { tool } from "../tool.ts";
import { registry } from "./registry.ts";

const tools = toRecordedTools();
const recorded = registry(tools);
const hitsWanted = 5;

function misses(asked: readonly Request[]): readonly string[] {
  return asked
    .filter(
      ({ request, right }) => !recorded.rank(request, hitsWanted).some(({ tool: { name } }) => right.includes(name)),
    )
    .map(({ request }) => request);
}

test("the recorded tools are 200 real ones, of named packages, versions and licences", () => {
  expect(tools).toHaveLength(200);
  expect(recordedServers.every(({ licence }) => licence === "MIT" || licence === "Apache-2.0")).toBe(true);
  expect(recordedServers.every((server) => /^\d+\.\d+\.\d+$/.test(server.version))).toBe(true);
});

test("for 95 of 100 requests a right tool of 200 is among the first five", verifies("K1"), () => {
  expect(requests).toHaveLength(100);
  expect(misses(requests).length).toBeLessThanOrEqual(5);
});

test("for requests that nothing was tuned to, a right tool is among the first five four times out of five", () => {
  expect(laterRequests).toHaveLength(50);
  expect(misses(laterRequests).length).toBeLessThanOrEqual(10);
});

test("every tool can be found: its own name and first words lead to it", verifies("K1"), () => {
  const unreachable = tools.filter(({ name, does }) => {
    const found = recorded.rank(`${name} ${does.slice(0, 200)}`, hitsWanted);
    return !found.some((each) => each.tool.name === name);
  });
  expect(unreachable.map(({ name }) => name)).toEqual([]);
});

test("any request, of any length and script, is ranked the same each time, best first, within the limit", () => {
  const words = fc.constantFrom(
    "file",
    "issue",
    "branch",
    "推送",
    "überall",
    "a.txt",
    "https://x.io/y",
    "🙂",
    "get",
    "",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((list) => list.join(" ")),
      ),
      fc.nat(10),
      (request, limit) => {
        const found = recorded.rank(request, limit);
        expect(found.length).toBeLessThanOrEqual(limit);
        expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).toSorted((a, b) => b - a));
        expect(registry(tools).rank(request, limit)).toEqual(found);
      },
    ),
    { numRuns: 25 },
  );
});

test("tags lead to a tool that its description does not", () => {
  const tagged = tools.map((each) =>
    each.name === "maps.maps_elevation" ? tool({ ...each, tags: ["mountain", "summit"] }) : each,
  );
  const names = (list: typeof tools): readonly string[] =>
    registry(list)
      .rank("Which summit is the tallest mountain?", 3)
      .map((found) => found.tool.name);
  expect(names(tools)).not.toContain("maps.maps_elevation");
  expect(names(tagged)[0]).toBe("maps.maps_elevation");
});

test("two tools of one name are refused, with a hint", verifies("K4"), () => {
  expect(() => registry([...tools, ...tools.slice(0, 1)])).toThrow(
    expect.objectContaining({ code: "DEFINITION_INVALID", hint: expect.any(String) }),
  );
});
