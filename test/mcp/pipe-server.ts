// A server over its standard input and output, written without any library and of the protocol before 2026, that can misbehave in
// every way that a test names: at its start by its first argument, later by the tool that is called. Its second argument is a folder:
// what it does to the world is in the file `log` there.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly protocolVersion?: string;
    readonly arguments?: Readonly<Record<string, string | number>>;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
  readonly result?: unknown;
}

const [mode = "well", world = "."] = process.argv.slice(2);
const log = join(world, "log");
const note = (text: string): void => appendFileSync(log, `${text}\n`);
const send = (message: object): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const onceIn = (name: string): boolean => {
  if (existsSync(join(world, name))) return false;
  writeFileSync(join(world, name), "");
  return true;
};

const anObject = { type: "object" };
const line = {
  type: "object",
  properties: { line: { type: "string" } },
  required: ["line"],
  additionalProperties: false,
};
const readOnly = { annotations: { readOnlyHint: true } };

function listTools(): object[] {
  const description = existsSync(join(world, "description"))
    ? readFileSync(join(world, "description"), "utf8")
    : "Says it again.";
  return [
    { name: "echo", description, inputSchema: line, ...readOnly },
    { name: "write", description: "Writes a line.", inputSchema: line },
    { name: "set", inputSchema: line, annotations: { idempotentHint: true } },
    { name: "die-before", inputSchema: line },
    { name: "die-after", inputSchema: line },
    { name: "stall", inputSchema: line },
    { name: "steps", inputSchema: anObject },
    { name: "fail", inputSchema: anObject },
    {
      name: "safe",
      inputSchema: anObject,
      _meta: { "dev.tutti/contract": { effect: "once", failures: "nothing-happened", inputBytesMax: 50 } },
    },
    { name: "odd", inputSchema: anObject, _meta: { "dev.tutti/contract": { effect: "sometimes" } } },
    { name: "error", inputSchema: { type: "object", properties: { code: { type: "integer" } } }, ...readOnly },
    {
      name: "lie",
      inputSchema: anObject,
      outputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
      ...readOnly,
    },
    { name: "nonsense", inputSchema: anObject, ...readOnly },
    { name: "big", inputSchema: { type: "object", properties: { bytes: { type: "integer" } } }, ...readOnly },
    { name: "hang", inputSchema: anObject },
    { name: "flood", inputSchema: anObject, ...readOnly },
    { name: "change", inputSchema: line },
    { name: "ask", inputSchema: anObject },
    { name: "foreign", inputSchema: { type: "object", properties: { a: { $ref: "http://127.0.0.1:9/schema.json" } } } },
    ...(existsSync(join(world, "more")) ? [{ name: "late", description: "Came later.", inputSchema: anObject }] : []),
  ];
}

const text = (said: string, more: object = {}): object => ({ content: [{ type: "text", text: said }], ...more });

function callTool(
  id: number | string,
  { name = "", arguments: input = {}, _meta: meta = {} }: NonNullable<Message["params"]>,
): void {
  const answer = (result: object): void => send({ id, result });
  const write = (): void => {
    note(
      JSON.stringify({
        name,
        line: input["line"],
        key: meta["dev.tutti/idempotency-key"],
        traceparent: meta["traceparent"],
      }),
    );
    answer(text(`wrote ${input["line"]}`));
  };
  const actions: Readonly<Record<string, () => void>> = {
    echo: () => answer(text(String(input["line"]))),
    write,
    set: write,
    "die-before": () => (onceIn("died") ? process.exit(3) : write()),
    "die-after": () => {
      const isFirst = onceIn("died");
      if (!isFirst) return write();
      note(JSON.stringify({ name, line: input["line"], key: meta["dev.tutti/idempotency-key"] }));
      process.exit(3);
    },
    stall: () => note(JSON.stringify({ name, line: input["line"], key: meta["dev.tutti/idempotency-key"] })),
    steps: () => {
      const params = { progressToken: meta["progressToken"], progress: 1, total: 1 };
      const both = [
        { method: "notifications/progress", params },
        { id, result: text("done") },
      ];
      process.stdout.write(both.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join(""));
    },
    fail: () => answer(text("no such page", { isError: true })),
    safe: () => answer(text("no such page", { isError: true })),
    error: () => send({ id, error: { code: input["code"], message: "as told" } }),
    lie: () => answer(text("", input["nothing"] === 1 ? {} : { structuredContent: { n: "not a number" } })),
    nonsense: () => answer({ content: "not a list" }),
    big: () => answer(text("x".repeat(Number(input["bytes"])))),
    hang: () => note("hanging"),
    flood: () => {
      const chatter = "all work and no play\n".repeat(100);
      const pour = (): void => void process.stdout.write(chatter, pour);
      pour();
    },
    change: () => {
      writeFileSync(join(world, "description"), String(input["line"]));
      send({ method: "notifications/tools/list_changed" });
      answer(text("changed"));
    },
    ask: () => {
      const requestedSchema = { type: "object", properties: { sure: { type: "boolean" } }, required: ["sure"] };
      asked.set(`q${id}`, (said) =>
        answer(text(JSON.stringify(said), { isError: !JSON.stringify(said).includes('"accept"') })),
      );
      send({ id: `q${id}`, method: "elicitation/create", params: { message: "Are you sure?", requestedSchema } });
    },
  };
  const action = actions[name];
  if (action === undefined) send({ id, error: { code: -32602, message: `no tool ${name}` } });
  else action();
}

const asked = new Map<number | string, (result: unknown) => void>();

function take({ id, method, params = {}, result }: Message): void {
  if (method === "notifications/cancelled") note("cancelled");
  if (id === undefined) return;
  if (method === undefined) return asked.get(id)?.(result);
  if (mode === "mute" || existsSync(join(world, "mute"))) return;
  if (mode === "ends-at-what-it-does-not-know" && method === "server/discover") process.exit(1);
  if (method === "initialize") {
    const capabilities = { tools: { listChanged: true } };
    const protocolVersion = mode.startsWith("speaks ") ? mode.slice(7) : params.protocolVersion;
    send({ id, result: { protocolVersion, capabilities, serverInfo: { name: "pipe", version: "1" } } });
  } else if (method === "tools/list") {
    const tools = listTools();
    const crowd = Array.from({ length: 1_001 }, (_unused, index) => ({ name: `t${index}`, inputSchema: anObject }));
    const lists: Readonly<Record<string, object[]>> = { "bad-list": [{ name: 7 }], crowd, twice: [...tools, ...tools] };
    send({ id, result: { tools: lists[mode] ?? tools } });
  } else if (method === "tools/call") callTool(id, params);
  else send({ id, error: { code: -32601, message: `no method ${method}` } });
}

note(`started ${process.pid}`);
if (mode === "broken") {
  process.stderr.write("the disk of the server is full\n");
  process.exit(1);
}
if (mode === "noisy") process.stdout.write("Welcome!\n\n{ not json\n[1,2]\n");
for await (const received of createInterface({ input: process.stdin })) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own client's messages
  take(JSON.parse(received) as Message);
}
