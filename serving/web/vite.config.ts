import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the pages of a running Chimera (or of tests/mock-server.mjs) with hot reload.
const backend = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The pages run under `default-src 'self'`: nothing may be inlined as a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  server: { host: "127.0.0.1", proxy: { "/api": backend, "/openapi.json": backend } },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node" },
});
