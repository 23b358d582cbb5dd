import { expectTypeOf, test } from "vitest";
import { z } from "zod";

import type { Tool } from "../contracts/callable.ts";
import { tool } from "./tool.ts";

test("a tool's types follow from its schemas, without a cast at the user's side", () => {
  const publish = tool({
    name: "page.publish",
    does: "Publishes a page.",
    input: z.object({ slug: z.string(), html: z.string() }),
    output: z.object({ url: z.url() }),
    effect: "once",
    key: ({ slug }) => slug,
    check: ({ slug }) => (slug === "" ? undefined : { url: slug }),
    undo: ({ url }, { input }) => {
      expectTypeOf(url).toEqualTypeOf<string>();
      expectTypeOf(input).toEqualTypeOf<{ slug: string; html: string }>();
    },
    run: async (page, { idempotencyKey, signal }) => {
      expectTypeOf(page).toEqualTypeOf<{ slug: string; html: string }>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return { url: idempotencyKey };
    },
  });
  expectTypeOf(publish).toEqualTypeOf<Tool<{ slug: string; html: string }, { url: string }>>();
});

test("a tool that returns something else than its output schema says does not compile", () => {
  const find = tool({
    name: "page.find",
    does: "Finds a page.",
    input: z.object({ slug: z.string() }),
    output: z.object({ url: z.url() }),
    effect: "read",
    // @ts-expect-error url is a string
    run: () => ({ url: 1 }),
  });
  expectTypeOf(find).toEqualTypeOf<Tool<{ slug: string }, { url: string }>>();
});
