import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { systemClock } from "../../base/clock.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { bubblewrapCode } from "./bubblewrap-code.ts";
import type { CodeInput, CodeOutput } from "./code-provider.ts";
import { codeTool } from "./code-tool.ts";
import { quickJsCode } from "./quickjs-code.ts";
import { runProgram } from "./run-program.ts";

const code = codeTool([
  quickJsCode(),
  bubblewrapCode({ timeoutMs: 20_000, filesBytesMax: 8_000_000, processesMax: 16 }),
]);
const run = async (input: CodeInput): Promise<CodeOutput> => code.run(input, toToolHost());
const python = async (program: string): Promise<CodeOutput> => run({ language: "python", code: program });
const bash = async (program: string): Promise<CodeOutput> => run({ language: "bash", code: program });

// Some containers forbid user namespaces even where bubblewrap is installed.
const canRun =
  spawnSync("bwrap", ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"]).status ===
  0;

describe.skipIf(!canRun)("with bubblewrap (skipped where bwrap is missing or may not make user namespaces)", () => {
  test.for([
    [
      "python",
      "import json\nrows = json.load(open('input.json'))\nprint('rows', len(rows))\njson.dump(sum(rows), open('result.json', 'w'))",
    ],
    ["bash", "echo rows $(tr -cd , <input.json | wc -c | awk '{print $1 + 1}')\necho 6 >result.json"],
    [
      "node",
      "import { readFileSync, writeFileSync } from 'node:fs';\nconst rows = JSON.parse(readFileSync('input.json'));\nconsole.log('rows', rows.length);\nwriteFileSync('result.json', '6');",
    ],
  ] as const)(
    "%s gets its input and gives back its result and what it printed",
    verifies("K5"),
    async ([language, program]) => {
      expect(await run({ language, code: program, input: [1, 2, 3] })).toEqual({
        kind: "done",
        result: 6,
        console: ["rows 3"],
        consoleDropped: 0,
      });
    },
  );

  test("a program that fails says how", async () => {
    expect(await python("print('before')\n1/0")).toMatchObject({
      kind: "failed",
      failure: { name: "Exit1", message: expect.stringContaining("ZeroDivisionError") },
    });
    expect(await bash("echo '{' >result.json")).toMatchObject({ kind: "failed", failure: { name: "ResultInvalid" } });
    expect(await bash("true")).toMatchObject({ kind: "done", result: null });
    expect(await bash(`echo '{"__proto__":{"x":1},"a":1}' >result.json`)).toMatchObject({ result: { a: 1 } });
  });
});

describe.skipIf(!canRun)("the sandbox of bubblewrap (skipped like the tests above)", () => {
  test("there is no network, not even to this machine", verifies("K5"), async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    expect(await python(`import socket\nsocket.create_connection(("127.0.0.1", ${port}), 3)`)).toMatchObject({
      kind: "failed",
      failure: { message: expect.stringMatching(/refused|unreachable/) },
    });
    expect(await bash("cat /proc/net/dev | tail -n +3 | grep -v '^ *lo:' ; ls /sys/class/net 2>&1")).toMatchObject({
      console: [expect.stringContaining("No such file")],
    });
  });

  test.for([
    [
      "the machine's files",
      "ls / | grep -vE '^(bin|dev|etc|job|lib|lib64|proc|sbin|tmp|usr)$'; ls /etc | grep -v alternatives",
      ["ld.so.cache"],
    ],
    ["the environment", "env | grep -vE '^(PATH|HOME|LANG|PWD|SHLVL|_)='; true", []],
    ["other processes", "ls /proc | grep -cE '^[0-9]+$' | awk '{print ($1 < 10)}'", ["1"]],
    ["writing to the system", "touch /usr/x /bin/x 2>&1 | grep -c 'Read-only'", ["2"]],
    ["who it is", "id -u; id -g; cat /proc/self/status | grep CapEff", ["65534", "65534", "CapEff:\t0000000000000000"]],
    ["a namespace of its own", "unshare -U true 2>&1 | grep -ciE 'failed|permitted|space'", ["1"]],
    ["mounting", "mount -t tmpfs none /tmp 2>&1 | grep -ciE 'denied|permitted|must be|superuser'", ["1"]],
    ["devices", "ls /dev | grep -cE '^(sd|nvme|kvm|mem|kmsg)'", ["0"]],
    ["the result's descriptor", "echo forged >&5", [expect.stringContaining("Bad file descriptor")]],
    ["files of an earlier program", "ls; touch left", ["input.json", "program.sh"]],
    ["files of an earlier program, again", "ls", ["input.json", "program.sh"]],
  ] as const)(
    "a program that looks for %s finds nothing of this machine",
    verifies("K5"),
    async ([, program, printed]) => {
      expect((await bash(program)).console).toEqual(printed);
    },
  );
});

describe.skipIf(!canRun)("the limits of bubblewrap's sandbox (skipped like the tests above)", () => {
  test("memory, files, processes and lines have limits", verifies("K5"), async () => {
    expect(await python("bytearray(10**9)")).toMatchObject({ failure: { message: "MemoryError" } });
    expect(
      await bash("head -c 20000000 /dev/zero >big 2>&1; stat -c %s big | awk '{print ($1 <= 8000000)}'"),
    ).toMatchObject({ console: expect.arrayContaining(["1"]) });
    const forks = await python(
      "import os, time\nn = 0\ntry:\n  while n < 200:\n    if os.fork() == 0: time.sleep(30); os._exit(0)\n    n += 1\nexcept OSError: pass\nprint(n < 20, flush=True)\nos._exit(0)",
    );
    expect(forks.console).toEqual(["True"]);
    expect(await bash("seq 1000")).toMatchObject({ kind: "done", consoleDropped: 800 });
    expect(await bash("yes")).toMatchObject({ kind: "stopped", limit: "output" });
    expect(await bash("head -c 500000 /dev/zero | tr '\\0' 1 >result.json")).toMatchObject({
      kind: "stopped",
      limit: "output",
    });
  });

  test(
    "a program that does not end is stopped with all its processes, and so is one that nobody wants any more",
    verifies("K5"),
    async () => {
      const hurried = bubblewrapCode({ timeoutMs: 3_000 });
      const endless = {
        language: "bash",
        code: "echo working; (trap '' TERM INT HUP; sleep 1000) & while :; do :; done",
      } as const;
      expect(await hurried.run(endless, toToolHost())).toMatchObject({
        kind: "stopped",
        limit: "time",
        console: ["working"],
      });
      const reason = new Error("over");
      const controller = new AbortController();
      const aborted = (async () => hurried.run(endless, toToolHost({ signal: controller.signal })))();
      setImmediate(() => controller.abort(reason));
      await expect(aborted).rejects.toBe(reason);
    },
  );
});

test("where the sandbox can't be made, nothing runs, and the error says what to do", async () => {
  const job = { args: ["--no-such-option"], program: "", input: "", timeoutMs: 5_000 };
  const around = { signal: new AbortController().signal, clock: systemClock };
  for (const command of ["no-such-program", "false"])
    await expect(runProgram({ ...job, command }, around)).rejects.toMatchObject({
      code: "TOOL_UNAVAILABLE",
      effect: "none",
      hint: expect.stringContaining("bubblewrap"),
    });
});
