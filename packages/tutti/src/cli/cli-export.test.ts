import { writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { counting, countingModel } from "../../../../test/otlp/counting-flow.ts";
import { decodeJson } from "../../../../test/otlp/decode.ts";
import { openReceiver, type Receiver } from "../../../../test/otlp/receiver.ts";
import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openTutti } from "../engine/open-tutti.ts";

let cli: CliFolder;
let receiver: Receiver;
beforeEach(async () => {
  cli = openCliFolder();
  receiver = await openReceiver();
  const ledger = path.join(cli.folder, ".tutti/ledger.db");
  const tutti = await openTutti({ flows: [counting], models: { fast: countingModel() }, ledger, control: false });
  for (const id of ["a", "b"]) await tutti.run(counting, {}, { id });
  await tutti.close();
});
afterEach(async () => {
  await receiver.close();
  cli[Symbol.dispose]();
});

test(
  "`tutti export otlp` sends the whole ledger or some runs, prints without an address, and says what it can't do",
  verifies("O10", "X6"),
  async () => {
    writeFileSync(path.join(cli.folder, "key.txt"), "sesame\n");
    const headers = ["--header", "x-key=@key.txt", "--header", "x-project=orchard"];
    const sent = await cli.run(["export", "otlp", "--to", receiver.url, "--dialect", "phoenix", ...headers]);
    expect(sent).toMatchObject({ code: 0, stdout: "" });
    expect(sent.stderr).toContain("Sent 14 spans and 0 events, up to position 20.");
    expect(receiver.spans.size).toBe(14);
    expect(receiver.requests[0]?.headers).toMatchObject({ "x-key": "sesame", "x-project": "orchard" });

    const printed = await cli.run(["export", "otlp", "a", "b", "--since", "10"]);
    const [line = ""] = printed.stdout.split("\n");
    expect(printed.code).toBe(0);
    expect(decodeJson(line).spans.map(({ name }) => name)).toContain("invoke_workflow counting");
    expect(printed.stderr).toContain("Printed 7 spans");

    for (const wrong of [["jaeger"], ["otlp", "--dialect", "x"], ["otlp", "--to", "http://x", "--header", "x"]])
      expect(await cli.run(["export", ...wrong])).toMatchObject({ code: 2 });
    const away = await cli.run(["export", "otlp", "--to", "http://127.0.0.1:9"]);
    expect(away).toMatchObject({ code: 1 });
    expect(away.stderr).toContain("TOOL_UNAVAILABLE");
  },
);
