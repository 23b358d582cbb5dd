import { builtinModules } from "node:module";

// What a program loads with `import "tutti"`, minified and compressed; Node's own modules weigh nothing.
const ignore = builtinModules.map((name) => (name.startsWith("node:") ? name : `node:${name}`));

export default [{ name: "tutti", path: "dist/index.js", limit: "70 kB", ignore }];
