/**
 * Who may import whom in `packages/tutti/src`: a folder imports only from earlier lines, types included,
 * and folders on one line do not know each other. Tests may import anything.
 */
export const layers: readonly (readonly string[])[] = [
  ["base"],
  ["contracts"],
  ["ledger", "policy"],
  ["limits", "guardrails"],
  ["flow", "models", "tools", "insight", "identity"],
  ["agents", "people"],
  ["teams"],
  ["engine", "protocols", "audit"],
  ["server", "client"],
  ["cli", "testing"],
];

/** Folders that see less than their line would let them. */
export const seesOnly: Readonly<Record<string, readonly string[]>> = { client: ["contracts"] };

/** The one folder that may import an npm dependency: the adapter to it. Tests and examples are free. */
export const folderByDependency: Readonly<Record<string, string>> = {
  zod: "contracts",
  "@ai-sdk/provider": "models/ai-sdk",
  htmlparser2: "tools/reading",
  unpdf: "tools/reading",
  "@modelcontextprotocol/client": "protocols/mcp",
  "@cedar-policy/cedar-wasm": "policy/cedar",
  "quickjs-emscripten-core": "tools/code",
  "@jitl/quickjs-wasmfile-release-sync": "tools/code",
  croner: "engine/schedules",
  jose: "identity",
  acorn: "cli/doctor",
  hono: "server",
  "@hono/node-server": "server",
  "markdown-it": "tools/publish",
  "sanitize-html": "tools/publish",
  "@fontsource/dejavu-sans": "tools/image",
  "@resvg/resvg-wasm": "tools/image",
};

/** Folders that replay runs again: what happens there must not depend on time, chance or the world. */
export const replayedFolders: readonly string[] = ["flow", "agents", "teams"];
