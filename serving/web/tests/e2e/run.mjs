/**
 * Drives the pages of a running server in headless Chromium:
 *
 *     npm run e2e -- --base http://127.0.0.1:8080 --token TOKEN [--shots FOLDER] [--chromium PATH]
 *
 * Prints a line a check and `N passed, N failed`; exits with 1 when one failed. It places a few small orders.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { accountChecks } from "./account.mjs";
import { Api } from "./api.mjs";
import { installed, launch, watch } from "./browser.mjs";
import { buyingChecks } from "./buying.mjs";
import { dashboardChecks } from "./dashboard.mjs";
import { docsChecks } from "./docs.mjs";
import { everywhereChecks } from "./everywhere.mjs";
import { productChecks } from "./product.mjs";
import { storefrontChecks } from "./storefront.mjs";

const TIMEOUT_MS = 15_000;

/** Runs every check in order, `extraChecks` last; a failed one does not stop the rest. Returns how many passed and failed. */
export async function run({ base, token, shots = null, executablePath = installed(), isMock = false, extraChecks = [] }) {
  if (shots) await mkdir(shots, { recursive: true });
  const browser = await launch(executablePath);
  const tally = { passed: 0, failed: 0 };
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", colorScheme: "light" });
    context.setDefaultTimeout(TIMEOUT_MS);
    const page = await context.newPage();
    const watched = watch(page, base);
    const shot = async (name, of = page, options = {}) => {
      if (shots) await of.screenshot({ path: join(shots, `${name}.png`), ...options });
    };
    const world = { api: new Api(base, token), base, token, isMock, browser, page, watched, shot };
    const shopping = [...storefrontChecks, ...productChecks, ...buyingChecks, ...accountChecks, ...everywhereChecks];
    for (const { name, check } of [...shopping, ...dashboardChecks, ...docsChecks, ...lastChecks, ...extraChecks]) {
      try {
        await check(world);
        tally.passed++;
        console.log(`ok      ${name}`);
      } catch (error) {
        tally.failed++;
        console.log(`FAILED  ${name}\n        ${String(error.message ?? error).replaceAll("\n", "\n        ")}`);
        await shot(`failed-${tally.failed}`).catch(() => undefined);
      }
    }
  } finally {
    await browser.close();
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally;
}

const lastChecks = [
  {
    name: "no console error, no failed request, no request to another host on the way",
    check: async ({ watched }) => {
      if (watched.problems.length > 0) throw new Error(watched.problems.join("\n"));
    },
  },
];

if (process.argv[1]?.endsWith("run.mjs")) {
  const options = {
    base: { type: "string" },
    token: { type: "string" },
    shots: { type: "string" },
    chromium: { type: "string", default: installed() },
  };
  const { values } = parseArgs({ options });
  if (!values.base || !values.token) {
    console.error("usage: npm run e2e -- --base http://127.0.0.1:8080 --token TOKEN [--shots FOLDER] [--chromium PATH]");
    process.exit(2);
  }
  const { failed } = await run({
    base: values.base.replace(/\/$/, ""),
    token: values.token,
    shots: values.shots,
    executablePath: values.chromium,
  });
  process.exit(failed > 0 ? 1 : 0);
}
