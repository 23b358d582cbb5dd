import { expect, test } from "vitest";

import { findJson } from "./json-in-text.ts";

test("JSON is found bare, in a fence, and among words", () => {
  for (const text of [
    '{"a":1}',
    '```json\n{"a":1}\n```',
    'Here:\n```\n{"a":1}\n```\nas asked',
    'It is {"a":1}, I think.',
  ]) {
    expect(findJson(text)).toEqual({ value: { a: 1 } });
  }
  expect(findJson("[1, 2]")).toEqual({ value: [1, 2] });
  expect(findJson("null")).toEqual({ value: null });
});

test("where there is none, none is found", () => {
  for (const text of ["", "no", "{", "}{", "```json\n{\n```", "[}"]) expect(findJson(text)).toBeUndefined();
});
