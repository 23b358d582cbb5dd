/** One fault, planted on purpose: a text that stands exactly once in a file, and what it is replaced by. */
export interface Mutation {
  /** What no longer holds. */
  readonly name: string;
  /** Below packages/tutti/src. */
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
  readonly check: Check;
}

/** Which part of the suite has to notice. */
export type Check =
  /** Random programs with a crash at every entry: `npm run crash`. */
  | { readonly kind: "crash"; readonly points: number; readonly seed: number }
  /** The ledger's conformance suite, on the memory ledger. */
  | { readonly kind: "ledger" }
  /** A program that is not left to chance: `main.ts undo-order`. */
  | { readonly kind: "program"; readonly name: ProgramName };

export const programs = ["durable-attempts", "losing-branch", "signal-charge", "undo-order"] as const;
export type ProgramName = (typeof programs)[number];

const program = (name: ProgramName): Check => ({ kind: "program", name });
const crash = (points: number, seed = 1): Check => ({ kind: "crash", points, seed });

export const mutations: readonly Mutation[] = [
  {
    name: "new work starts while the recorded part is still being replayed",
    file: "flow/delivery.ts",
    text: "if (this.live) start();\n    else (this.gates ??= []).push({ start, key });",
    replacement: "start();",
    check: program("losing-branch"),
  },
  {
    name: "new results are handed over as they come, not in the ledger's order",
    file: "flow/delivery.ts",
    text: "if (this.last === undefined) this.first = handing;\n    else this.last.next = handing;\n    this.last = handing;\n  }\n\n  ready(handing: Handing): void {\n",
    replacement:
      "}\n\n  ready(handing: Handing): void {\n    if (this.stopped) return;\n    this.openWindow();\n    handing.apply();\n    return;\n",
    check: crash(800),
  },
  {
    name: "recorded results are handed over as they are asked for, not in the ledger's order",
    file: "flow/recorded.ts",
    text: "driver.delivery.ask(pending);",
    replacement:
      "driver.delivery.abandon(item.key);\n  setImmediate(() => driver.delivery.begin(() => handRecorded(driver, item, pending)));",
    check: crash(400),
  },
  {
    name: "what lies inside a closed scope is handed over again",
    file: "flow/history.ts",
    text: "consumed?.has(item.seq) !== true && !isInside(item.key, closed)",
    replacement: "consumed?.has(item.seq) !== true",
    check: crash(400),
  },
  {
    name: "signals that a closed scope consumed are handed out again",
    file: "flow/signals.ts",
    text: "for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) at.consumed.push(seq);",
    replacement: "void [scope, seq];",
    check: program("signal-charge"),
  },
  {
    name: "the same signal sent twice is received twice",
    file: "flow/steering.ts",
    text: "if (driver.signalIds.has(id)) return",
    replacement: "if (driver.signalIds.has(`${id} again`)) return",
    check: program("signal-charge"),
  },
  {
    name: "a flow hears of results before they are in the ledger",
    file: "flow/step.ts",
    text: 'return called !== undefined && scope.agent !== undefined ? "prompt" : "awaited";',
    replacement: 'return "prompt";',
    check: crash(100),
  },
  {
    name: "a tool is called before its intent is written",
    file: "flow/effect-call.ts",
    text: "  void appendIntent(driver, call).then((appended) => {",
    replacement: "  call.dispatch();\n  void appendIntent(driver, call).then((appended) => {",
    check: crash(800),
  },
  {
    name: "a commit that relies on an old version is stored",
    file: "ledger/document-book.ts",
    text: "if (newest !== seen) documents.push",
    replacement: "if (newest < seen) documents.push",
    check: { kind: "ledger" },
  },
  {
    name: "an effect whose outcome is unknown is taken for not done, and done again",
    file: "flow/effect-call.ts",
    text: "if (!intent.cleared) resolveDoubt(",
    replacement: "if (!intent.cleared) call.dispatch();\n  else if (call === undefined) resolveDoubt(",
    check: crash(400),
  },
  {
    name: "a second attempt writes no intent of its own",
    file: "flow/effect-call.ts",
    text: "{ prepare: () => intendAgain(driver, call) }",
    replacement: "{ prepare: () => Promise.resolve() }",
    check: program("durable-attempts"),
  },
  {
    name: "effects of a branch that nobody waits for any more are left open",
    file: "flow/open-effects.ts",
    text: "if (isUnder(intent.key, path) && !driver.inFlight.has(key)",
    replacement: "if (path === key && !driver.inFlight.has(key)",
    check: program("losing-branch"),
  },
  {
    name: "the newest effect is left out of an undo",
    file: "flow/rollback.ts",
    text: "for (const undoable of undoables) await",
    replacement: "for (const undoable of undoables.slice(1)) await",
    check: crash(1000),
  },
  {
    name: "effects are taken back oldest first",
    file: "flow/rollback.ts",
    text: "[...undoables.values()].toReversed()",
    replacement: "[...undoables.values()]",
    check: program("undo-order"),
  },
  {
    name: "a child is started anew after a crash",
    file: "flow/child.ts",
    text: "if (driver.history.children.has(request.key)) takeUpChild(driver, child.id);\n  else writeStart",
    replacement: "writeStart",
    check: crash(400),
  },
  {
    name: "a timer begins anew after a crash",
    file: "flow/waits.ts",
    text: "if (!driver.history.timers.has(key))",
    replacement: "if (key !== undefined)",
    check: program("durable-attempts"),
  },
  {
    name: "attempts are counted anew after a crash",
    file: "flow/attempts.ts",
    text: "driver.history.attempts.get(attempts.key)",
    replacement: "[driver].find(() => false)?.history.attempts.get(attempts.key)",
    check: program("durable-attempts"),
  },
  {
    name: "a wish to cancel is forgotten in a crash",
    file: "flow/recorded.ts",
    text: "driver.root.cancel(toCancellation(bodyOf(item, item.kind).reason));\n      return;",
    replacement: "return;",
    check: crash(4_000),
  },
  {
    name: "a driver that lost its run may still write",
    file: "ledger/commit-group.ts",
    text: "if (head.epoch === epoch) return false;",
    replacement: "if (head.epoch >= epoch) return false;",
    check: { kind: "ledger" },
  },
  {
    name: "a run that is claimed together with others is driven from what was read before its last entry",
    file: "ledger/claims.ts",
    text: "read?.at(-1)?.seq === seq ? read : reader.readOf(head)",
    replacement: "read ?? reader.readOf(head)",
    check: { kind: "ledger" },
  },
  {
    name: "an intent is acknowledged before it is on disk",
    file: "ledger/commit-queue.ts",
    text: "if (store.sync === undefined || !queue.isUnsynced) {",
    replacement: "if (queue !== undefined) {",
    check: { kind: "ledger" },
  },
  {
    name: "a yes is used although what it was given for has changed",
    file: "ledger/approval-votes.ts",
    text: 'if (changed.length > 0) return refuse(approval, "changed"',
    replacement: 'if (changed.length > 99) return refuse(approval, "changed"',
    check: { kind: "ledger" },
  },
  {
    name: "an approval that is taken back becomes what took it back",
    file: "ledger/approval-votes.ts",
    text: "return end(approval, { state: to.state, why: to.why });",
    replacement: "return end(approval, to);",
    check: { kind: "ledger" },
  },
  {
    name: "two steps may own one effect key",
    file: "ledger/entry-writer.ts",
    text: "if (present !== undefined && !mayClaim(present, head, change)) return",
    replacement: "if (present !== undefined && head === undefined && !mayClaim(present, head, change)) return",
    check: { kind: "ledger" },
  },
];
