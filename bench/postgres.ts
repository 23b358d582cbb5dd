import { execFileSync } from "node:child_process";
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { removeFolder } from "./folder.ts";

const port = 54_329;
const debianFolder = "/usr/lib/postgresql";

/** A PostgreSQL of our own on loopback, with a cluster that exists only as long as it runs. */
export interface Postgres {
  readonly version: string;
  stop(): void;
}

/** Starts PostgreSQL from Debian's package, if that is installed. */
export function startPostgres(): Postgres | undefined {
  const programs = findPrograms();
  if (programs === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-postgres-"));
  const data = join(folder, "data");
  const owner = toOwner(folder);
  owner.run(join(programs, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres"]);
  const settings = `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = '${folder}'\nmax_connections = 200\n`;
  appendFileSync(join(data, "postgresql.conf"), settings);
  const control = join(programs, "pg_ctl");
  owner.run(control, ["-D", data, "-l", join(folder, "log"), "-w", "start"]);
  return {
    version: askPostgres("show server_version").split(" ")[0] ?? "",
    stop() {
      owner.run(control, ["-D", data, "-m", "fast", "-w", "stop"]);
      removeFolder(folder);
    },
  };
}

export function toPostgresUrl(database: string): string {
  return `postgresql://postgres@127.0.0.1:${port}/${database}`;
}

/** Runs one statement through psql and returns what it prints. */
export function askPostgres(statement: string): string {
  const args = [toPostgresUrl("postgres"), "-qAtc", statement];
  return execFileSync(join(findPrograms() ?? "", "psql"), args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

export function ensureDatabase(name: string): void {
  // Index: pg_database has a handful of rows.
  const found = askPostgres(`select 1 from pg_database where datname = '${name}'`);
  if (found !== "1") askPostgres(`create database "${name}"`);
}

function findPrograms(): string | undefined {
  if (!existsSync(debianFolder)) return undefined;
  const newest = readdirSync(debianFolder)
    .toSorted((left, right) => Number(right) - Number(left))
    .at(0);
  const programs = newest === undefined ? undefined : join(debianFolder, newest, "bin");
  return programs !== undefined && existsSync(join(programs, "initdb")) ? programs : undefined;
}

interface Owner {
  run(program: string, args: readonly string[]): void;
}

/** PostgreSQL refuses to run as root; then it runs as the user that its package brings. */
function toOwner(folder: string): Owner {
  const identity = process.getuid?.() === 0 ? { uid: readId("-u"), gid: readId("-g") } : undefined;
  if (identity !== undefined) chownSync(folder, identity.uid, identity.gid);
  return { run: (program, args) => void execFileSync(program, args, { ...identity, stdio: "ignore", cwd: folder }) };
}

function readId(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}
