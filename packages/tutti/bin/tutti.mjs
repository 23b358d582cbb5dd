#!/usr/bin/env node
// Plain JavaScript that every Node since 18 can read, so that an old one gets a sentence instead of a stack.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write("✗ NODE_TOO_OLD  This is Node " + process.versions.node + "; Tutti needs Node 24 or newer.\n");
  process.exit(2);
}
// In the repository the TypeScript source runs as it is; an installed package brings it compiled.
const isSource = import.meta.resolve("tutti").endsWith(".ts");
const { main } = await import(isSource ? "../src/cli.ts" : "../dist/cli.js");
await main(process.argv.slice(2));
