import { defineConfig } from "vite";

/** One page; what its name promises never changes, so it may be kept for ever. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ["tutti-source", "module", "browser", "production"] },
  build: { target: "es2024", assetsInlineLimit: 0, reportCompressedSize: false, emptyOutDir: true },
  worker: { format: "es" },
  server: { host: "127.0.0.1", proxy: { "/api": "http://127.0.0.1:4600" } },
});
