// Restate: its server on loopback (one node, as it is configured by default) and its TypeScript SDK.
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import * as restate from "@restatedev/restate-sdk";

import { folderBytes } from "../../folder.ts";

const port = { ingress: 28_080, admin: 29_070, node: 25_122, service: 29_080 };
const toAddress = (of) => `http://127.0.0.1:${port[of]}`;
const attemptsMax = 600;
const pauseMs = 50;

export async function open({ folder, work, keep }) {
  const pid = ensureServer(folder);
  const parked = new Map();
  await restate.serve({ services: declare(work, parked), port: port.service, logger: () => {} });
  await untilItAnswers(() => call(`${toAddress("admin")}/health`));
  await untilItAnswers(() => post("admin", "/deployments", { uri: toAddress("service"), force: true }));
  await untilItAnswers(() => post("ingress", "/chain/run", { id: "", count: 0 }));
  const start = (shape, job) => post("ingress", `/${shape}/run`, job, { "idempotency-key": job.id });
  return {
    chain: (job) => start("chain", job),
    fanOut: (job) => start("fanOut", job),
    async park(id) {
      const reached = new Promise((resolve) => parked.set(id, resolve));
      await post("ingress", `/park/${id}/run/send`, { id });
      await reached;
    },
    async signal(id) {
      await post("ingress", `/park/${id}/signal`, { answer: "yes" });
      return call(`${toAddress("ingress")}/restate/workflow/park/${id}/attach`);
    },
    resume: (job, shape) => start(shape, job), // attaches to the invocation that is under way
    bytes: () => folderBytes(join(folder, "data")),
    serverMb: () => peakMb(pid),
    async close() {
      if (!keep) stopServer(folder);
    },
  };
}

/** Ends the server of a folder, if this folder has one. */
export function stopServer(folder) {
  const note = join(folder, "restate.pid");
  if (!existsSync(note)) return;
  try {
    process.kill(Number(readFileSync(note, "utf8")), "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function declare(work, parked) {
  const chain = async (context, { id, count }) => {
    for (let index = 0; index < count; index++) {
      await context.run("step", () => work.step(id, index));
      work.acknowledged(id, index);
    }
    return count;
  };
  const fanOut = async (context, { id, count }) => {
    const steps = Array.from({ length: count }, (_, index) => context.run("step", () => work.step(id, index)));
    return (await restate.RestatePromise.all(steps)).length;
  };
  const park = async (context, { id }) => {
    await context.run("before", () => work.step(id, 0));
    const answer = context.promise("human");
    parked.get(id)?.();
    await answer;
    work.continued(id);
    await context.run("after", () => work.step(id, 1));
  };
  const signal = (context, { answer }) => context.promise("human").resolve(answer);
  return [
    restate.service({ name: "chain", handlers: { run: chain } }),
    restate.service({ name: "fanOut", handlers: { run: fanOut } }),
    restate.workflow({ name: "park", handlers: { run: park, signal } }),
  ];
}

function ensureServer(folder) {
  const note = join(folder, "restate.pid");
  const earlier = existsSync(note) ? Number(readFileSync(note, "utf8")) : 0;
  if (earlier > 0 && existsSync(`/proc/${earlier}`)) return earlier;
  const settings = join(folder, "restate.toml");
  writeFileSync(settings, toSettings(folder));
  const log = openSync(join(folder, "server.log"), "a");
  const program = createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
  );
  const env = { ...process.env, RUST_LOG: "warn" };
  const server = spawn(program, ["--config-file", settings, "--no-logo"], {
    stdio: ["ignore", log, log],
    detached: true,
    env,
  });
  server.unref();
  writeFileSync(note, String(server.pid));
  return server.pid;
}

function toSettings(folder) {
  return `disable-telemetry = true
base-dir = "${folder}/data"
cluster-name = "bench"
node-name = "n1"
bind-ip = "127.0.0.1"
bind-port = ${port.node}
listen-mode = "tcp"
auto-provision = true
[admin]
bind-address = "127.0.0.1:${port.admin}"
[ingress]
bind-address = "127.0.0.1:${port.ingress}"
`;
}

async function untilItAnswers(ask) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function post(to, path, body, headers) {
  return call(toAddress(to) + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function call(url, options) {
  const response = await fetch(url, options);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return text === "" ? undefined : JSON.parse(text);
}

function peakMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
