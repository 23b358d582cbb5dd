import { expect, onTestFinished, test, vi } from "vitest";

import { errorOf, makeGate, openStage, plainFlow, type Stage, until } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Flow } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";
import type { RunHandle, Tutti } from "./tutti.ts";

const waiting = plainFlow("waiting", (run) => run.wait("go"));

/** What a promise came to, or that it hangs, after plenty of turns of the event loop. */
async function fateOf(promise: Promise<unknown>): Promise<string> {
  let fate = "hangs";
  promise.then(
    () => {
      fate = "resolved";
    },
    (error: unknown) => {
      fate = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "another error";
    },
  );
  await takeTurns(200);
  return fate;
}

interface Opened {
  readonly tutti: Tutti;
  readonly run: RunHandle;
  readonly stage: Stage;
}

/** An engine that closes its ledger with itself, and a run that waits in it. */
async function openOwning(flow: Flow = waiting): Promise<Opened> {
  const stage = openStage();
  const tutti = await openTutti({ flows: [flow], ledger: stage.ledger, clock: stage.clock });
  return { stage, tutti, run: await tutti.start(flow, null, { id: "r" }) };
}

const questions: Readonly<Record<string, (opened: Opened) => Promise<unknown>>> = {
  "tutti.start": ({ tutti }) => tutti.start(waiting, null),
  "tutti.run": ({ tutti }) => tutti.run(waiting, null),
  "tutti.open": ({ tutti }) => tutti.open("r"),
  "tutti.runs": ({ tutti }) => tutti.runs(),
  "tutti.inDoubt": ({ tutti }) => tutti.inDoubt(),
  "run.result": ({ run }) => run.result(),
  "run.settled": ({ run }) => run.settled(),
  "run.state": ({ run }) => run.state(),
  "run.entries": ({ run }) => run.entries(),
  "run.signal": ({ run }) => run.signal("go", 1),
  "run.cancel": ({ run }) => run.cancel(),
  "run.pause": ({ run }) => run.pause(),
  "run.resume": ({ run }) => run.resume(),
};

test.for(Object.keys(questions))("a closed engine refuses %s", verifies("K4"), async (name) => {
  const opened = await openOwning();
  await opened.run.settled();
  await opened.tutti.close();
  await opened.tutti.close(); // twice is once
  const ask = questions[name];
  expect(ask === undefined ? "" : await fateOf(ask(opened))).toBe("LEDGER_CLOSED");
});

test("who waits for a result or a rest when the engine is closed is told so", verifies("D1", "K4"), async () => {
  const gate = makeGate();
  let isCalled = false;
  const busy = plainFlow("busy", (run) =>
    run.step("long", () => {
      isCalled = true;
      return gate.opened;
    }),
  );
  const { run, tutti } = await openOwning(busy);
  await until(() => isCalled);
  const fates = [run.result(), run.settled()].map(fateOf);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const closed = tutti.close();
  await takeTurns(20);
  vi.advanceTimersByTime(60_000); // nobody waits longer than the grace for a step that hangs
  await closed;
  expect(await Promise.all(fates)).toEqual(["LEDGER_CLOSED", "LEDGER_CLOSED"]);
});

interface Breakable extends Opened {
  readonly breakDisk: () => void;
  readonly sent: readonly string[];
}

/** A waiting run on a disk that can break; after its signal it would send a mail. */
async function openBreakable(point: "commit" | "sync"): Promise<Breakable> {
  let isBroken = false;
  const stage = openStage((at) => {
    if (isBroken && at === point) throw new Error("no space left on device");
  });
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("stopping", (run) => run.wait("go").then(() => run.call(mail, { to: "anna" })));
  const tutti = await stage.open([flow, waiting]);
  const run = await tutti.start(flow, null, { id: "r" });
  await run.settled();
  const breakDisk = (): void => {
    isBroken = true;
  };
  return { stage, tutti, run, sent: office.sent, breakDisk };
}

test.for(["commit", "sync"] as const)(
  "a ledger whose %s fails rejects who waits for the run, with what to do, and no effect leaves",
  verifies("D1", "D3", "K4"),
  async (point) => {
    const { run, stage, tutti, sent, breakDisk } = await openBreakable(point);
    const result = errorOf(run.result());
    await takeTurns(20);
    breakDisk();
    void run.signal("go", 1).catch(() => {});
    expect(await result).toMatchObject({ code: "LEDGER_STOPPED", disposition: "bug", hint: expect.any(String) });
    expect(await errorOf(tutti.start(waiting, null))).toMatchObject({ code: "LEDGER_STOPPED" });
    expect(sent).toEqual([]);
    expect(stage.entries.at(-1)?.kind).not.toBe("run-done");
  },
);

const steers: Readonly<Record<string, (opened: Opened) => Promise<unknown>>> = {
  "run.signal": ({ run }) => run.signal("go", 1),
  "run.cancel": ({ run }) => run.cancel(),
  "run.pause": ({ run }) => run.pause(),
  "tutti.start": ({ tutti }) => tutti.start(waiting, null),
};

test.for(Object.keys(steers))(
  "%s is rejected, not left hanging, when the ledger stops under it",
  verifies("D1", "K4"),
  async (name) => {
    for (const point of ["commit", "sync"] as const) {
      const opened = await openBreakable(point);
      opened.breakDisk();
      const steer = steers[name];
      expect({ point, fate: steer === undefined ? "" : await fateOf(steer(opened)) }).toEqual({
        point,
        fate: "LEDGER_STOPPED",
      });
    }
  },
);

test.for(["run.signal", "run.cancel", "run.pause"])(
  "%s on a run that another engine took over is rejected or gets through, and does not hang",
  verifies("D1", "D11"),
  async (name) => {
    const stage = openStage();
    const first = await stage.open([waiting]);
    const run = await first.start(waiting, null, { id: "r" });
    await run.settled();
    const second = await stage.open([waiting]);
    await (await second.open("r")).settled();
    const steer = steers[name];
    expect(steer === undefined ? "" : await fateOf(steer({ stage, tutti: first, run }))).not.toBe("hangs");
  },
);
