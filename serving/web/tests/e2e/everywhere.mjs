/** What holds for every page of the shop: nothing is cut off on a phone, and nobody is shut out. */
import assert from "node:assert/strict";
import { violations } from "./accessibility.mjs";
import { until } from "./api.mjs";
import { inCart } from "./buying.mjs";

/** Runs last: the shopper is logged in, and has orders. */
const pages = ({ bought, order }) => [
  ["feed", "/"],
  ["results", "/?sort=popularity"],
  ["product", `/product/${bought.id}`],
  ["cart", "/cart"],
  ["checkout", "/checkout"],
  ["log-in", "/account/login"],
  ["register", "/account/register"],
  ["forgotten", "/account/forgot-password"],
  ["verify", "/account/verify-email?token=cho_none"],
  ["reset", "/account/reset-password?token=cho_none"],
  ["orders", "/account"],
  ["order", `/account/orders/${order.id}`],
  ["addresses", "/account/addresses"],
  ["security", "/account/security"],
];

async function open(page, base, path) {
  await page.goto(base + path);
  await page.locator("main h1, main [data-card]").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(200);
}

export const everywhereChecks = [
  {
    name: "on a phone nothing is cut off",
    check: async (world) => {
      const { page, base, bought } = world;
      await page.goto(`${base}/product/${bought.id}`);
      await page.getByTestId("available").waitFor();
      await page.getByTestId("add-to-cart").first().click();
      await until("there is something in the cart", async () => (await inCart(page)) > 0);
      await page.setViewportSize({ width: 390, height: 844 });
      for (const [name, path] of pages(world)) {
        await open(page, base, path);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
        await world.shot(`09-phone-${name}`, page, { fullPage: name !== "feed" && name !== "results" });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  },
  {
    name: "the shop's pages are accessible, in light and in dark",
    check: async (world) => {
      const { page, base } = world;
      const found = [];
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const [name, path] of pages(world).slice(3)) {
          await open(page, base, path);
          found.push(...(await violations(page)).map((sentence) => `${colorScheme} ${path}: ${sentence}`));
          if (colorScheme === "dark" && ["cart", "checkout", "order"].includes(name)) await world.shot(`13-dark-${name}`);
        }
      }
      await page.emulateMedia({ colorScheme: "light" });
      assert.deepEqual(found, []);
    },
  },
  {
    name: "the way to the order can be gone without a mouse",
    check: async ({ page, base }) => {
      await page.goto(`${base}/cart`);
      await page.getByTestId("to-checkout").focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
      await page.waitForLoadState("networkidle");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "main", "the focus is where the page begins");
      await page.getByTestId("pay").focus();
      const sent = page.waitForResponse((response) => response.url().endsWith("/api/v1/checkout"));
      await page.keyboard.press("Enter");
      assert.equal((await sent).status(), 201);
      await page.getByTestId("order-placed").waitFor();
    },
  },
];
