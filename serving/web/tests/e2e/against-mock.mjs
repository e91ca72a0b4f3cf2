/**
 * The same checks against the mock, and those of faults that a real server cannot be asked for:
 * `npm run build && npm run e2e:mock [-- --shots FOLDER]`.
 */
import { parseArgs } from "node:util";
import { start } from "../mock-server.mjs";
import { installed } from "./browser.mjs";
import { faultChecks } from "./faults.mjs";
import { run } from "./run.mjs";

const { values } = parseArgs({ options: { shots: { type: "string" }, chromium: { type: "string", default: installed() } } });
const mock = await start();
try {
  const { failed } = await run({
    base: mock.base,
    token: mock.token,
    shots: values.shots,
    executablePath: values.chromium,
    isMock: true,
    extraChecks: faultChecks,
  });
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  await mock.close();
}
