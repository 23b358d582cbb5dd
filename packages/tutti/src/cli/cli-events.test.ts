import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { orders, shipping } from "../../../../test/engine/event-fixture.ts";
import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { schedule } from "../engine/schedules/schedule.ts";
import { flow } from "../flow/flow.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

const report = flow({ name: "report", input: z.null(), output: z.null(), run: async () => null });

test("events, subscriptions and schedules are listed", verifies("C9", "D9", "X6"), async () => {
  const ledger = path.join(cli.folder, "ledger.db");
  const daily = schedule({ name: "daily", cron: "0 9 * * *", timeZone: "UTC", flow: report, input: null });
  const tutti = await openTutti({ flows: [], ledger, control: false, on: [shipping], schedules: [daily] });
  await tutti.publish(orders, { number: "a", amount: 1 }, { id: "one" });
  await tutti.close();
  const events = await cli.run(["events", "orders", "--ledger", ledger]);
  expect(events).toMatchObject({ code: 0, stderr: "" });
  expect(events.stdout).toMatch(/^2 {2}\S+Z {2}one {2}a {2}\{"number":"a","amount":1\}\n$/u);
  const subscriptions = await cli.run(["events", "--ledger", ledger]);
  expect(subscriptions.stdout).toMatch(/^ship {2}orders → ship {2}/u);
  expect(subscriptions.stderr).toBe("Topics: orders.\n");
  const schedules = await cli.run(["schedules", "--ledger", ledger]);
  expect(schedules.stdout).toMatch(/^daily {2}0 9 \* \* \* UTC → report {2}next \S+T09:00:00.000Z {2}0 started/u);
  const json = await cli.run(["schedules", "--ledger", ledger, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ name: "daily", isPaused: false });
  const none = await cli.run(["events", "other", "--ledger", ledger]);
  expect(none).toMatchObject({ code: 0, stdout: "", stderr: "No events of other after 0.\n" });
});
