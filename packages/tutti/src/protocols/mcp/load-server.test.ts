import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { loadServer } from "./load-server.ts";

const toMissing = (name: string) => async (): Promise<never> => {
  throw Object.assign(new Error(`Cannot find package '${name}' imported from somewhere`), {
    code: "ERR_MODULE_NOT_FOUND",
  });
};

test(
  "without the client's package it says what to install; any other fault stays what it is",
  verifies("X8", "P3"),
  async () => {
    const error = await errorOf(loadServer(toMissing("@modelcontextprotocol/client")));
    expect(error).toMatchObject({ code: "DEFINITION_INVALID", effect: "none" });
    expect(error.hint).toContain("npm install @modelcontextprotocol/client@2");
    await expect(loadServer(toMissing("something-else"))).rejects.toThrow("something-else");
    await expect(loadServer(async () => "loaded")).resolves.toBe("loaded");
  },
);
