/** Headless Chromium, and a watch on everything that goes wrong in its pages. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-extensions",
];

const KNOWN = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

/** The Chromium to use: `$CHROMIUM`, or the first that the system has. */
export const installed = () => process.env.CHROMIUM ?? KNOWN.find((path) => existsSync(path)) ?? KNOWN[0];

/** Starts a browser with a fresh profile. */
export const launch = (executablePath) => chromium.launch({ executablePath, headless: true, args: FLAGS });

/**
 * Collects console errors, uncaught exceptions, failed requests, refused answers and requests to other hosts. Requests that
 * the page itself gave up (a newer search, a stream closed) are no failures.
 */
export function watch(page, base) {
  const problems = [];
  const expected = [];
  const isExpected = (url) => expected.some((part) => url.includes(part));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!isExpected(message.location().url)) problems.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "unknown";
    if (why !== "net::ERR_ABORTED") problems.push(`failed: ${request.method()} ${request.url()}: ${why}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) problems.push(`request to another host: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !isExpected(response.url()))
      problems.push(`answer ${response.status()}: ${response.request().method()} ${response.url()}`);
  });
  return {
    problems,
    /** Answers of addresses with this part may be refusals from now on. */
    expect: (part) => expected.push(part),
    /** They may not any more. */
    unexpect: (part) => expected.splice(expected.indexOf(part), 1),
  };
}
