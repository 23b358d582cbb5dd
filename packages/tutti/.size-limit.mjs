import { builtinModules } from "node:module";

// What a program loads with `import "tutti"`, minified and compressed; Node's own modules weigh nothing.
const ignore = builtinModules.map((name) => (name.startsWith("node:") ? name : `node:${name}`));

// Loaded by the first schedule and the first capability, not with the entry.
const later = ["croner", "jose"];

export default [{ name: "tutti", path: "dist/index.js", limit: "142 kB", ignore: [...ignore, ...later] }];
