import assert from "node:assert/strict";
import { violations } from "./accessibility.mjs";
import { until } from "./api.mjs";

const figure = async (page, name) => Number((await page.getByTestId(`total-${name}`).textContent()).replaceAll(/[£,]/g, ""));

export const dashboardChecks = [
  {
    name: "the dashboard asks for the operator's token and refuses a wrong one",
    check: async (world) => {
      const { page, base, watched } = world;
      watched.expect("/api/v1/");
      await page.goto(`${base}/dashboard`);
      await page.getByLabel("Operator token").fill("not-the-token");
      await page.getByRole("button", { name: "Open the dashboard" }).click();
      await page.getByRole("alert").waitFor();
      await world.shot("10-token");
      watched.unexpect("/api/v1/");
    },
  },
  {
    name: "the token in the address opens it and does not stay there",
    check: async (world) => {
      const { page, base, token } = world;
      // A new document, as when the printed address is opened.
      await page.goto("about:blank");
      await page.goto(`${base}/dashboard#token=${token}`);
      await until("all streams are live", async () => (await page.getByTestId("connection").textContent()) === "Live");
      assert.ok(!page.url().includes(token), page.url());
      await until("the totals are in", async () => (await figure(page, "orders")) > 0);
    },
  },
  {
    name: "the totals are the server's",
    check: async ({ page, api }) => {
      await until("revenue and orders agree", async () => {
        const { rows } = await api.operator("/views/sales.totals");
        const revenue = Number(rows[0].revenue).toFixed(2);
        return (await figure(page, "revenue")).toFixed(2) === revenue && (await figure(page, "orders")) === rows[0].orders;
      });
    },
  },
  {
    name: "an order moves the totals and the chart without a reload",
    check: async ({ page, api, bought }) => {
      const before = { orders: await figure(page, "orders"), revenue: await figure(page, "revenue") };
      const chart = () => page.locator(".chart figcaption strong").nth(1).textContent();
      const chartBefore = await chart();
      const started = Date.now();
      const order = await api.order(bought.sku, 1);
      await until(
        "the totals count it",
        async () =>
          (await figure(page, "orders")) > before.orders &&
          (await figure(page, "revenue")) >= before.revenue + order.total_cents / 100 - 0.01,
      );
      console.log(`        the order was on the dashboard ${Date.now() - started} ms after it was sent`);
      await until("the chart counts it", async () => (await chart()) !== chartBefore);
    },
  },
  {
    name: "every store is listed with its age, and the panels are filled",
    check: async (world) => {
      const { page, api } = world;
      const { stores } = await api.operator("/stores");
      await until("a row for each store", async () => (await page.locator("[data-store]").count()) === stores.length);
      const listed = await page.locator("[data-store]").evaluateAll((rows) => rows.map((row) => row.dataset.store));
      assert.deepEqual(new Set(listed), new Set(stores.map(({ store }) => store)));
      for (const age of await page.getByTestId("age").allTextContents()) assert.match(age, /^[\d.]+ (ms|s|min|h|d)$/);
      await page.getByTestId("top-products").locator("tbody tr").first().waitFor();
      assert.ok((await page.locator(".bars li").count()) >= 2);
      await page.waitForTimeout(1_500);
      await world.shot("11-dashboard", page, { fullPage: true });
    },
  },
  {
    name: "the range of the chart can be changed",
    check: async ({ page }) => {
      const orders = async () => Number((await page.locator(".chart figcaption strong").nth(1).textContent()).replaceAll(",", ""));
      const hour = await orders();
      await page.locator(".segments label", { hasText: "All" }).click();
      await until(
        "all orders are at least those of an hour",
        async () => (await orders()) >= hour && (await page.locator(".chart canvas").count()) === 1,
      );
    },
  },
  {
    name: "the pages are accessible, in light and in dark",
    check: async ({ page, base, bought }) => {
      const found = [];
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const path of ["/dashboard", "/", "/?sort=popularity", `/product/${bought.id}`, `/?similar=${bought.id}`]) {
          await page.goto(base + path);
          await page.locator("[data-card], [data-store]").first().waitFor();
          await page.waitForTimeout(300);
          found.push(...(await violations(page)).map((sentence) => `${colorScheme} ${path}: ${sentence}`));
        }
      }
      await page.emulateMedia({ colorScheme: "light" });
      assert.deepEqual(found, []);
    },
  },
  {
    name: "on a phone the dashboard is not cut off",
    check: async (world) => {
      const { page, base } = world;
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(`${base}/dashboard`);
      await page.locator("[data-store]").first().waitFor();
      await page.waitForTimeout(1_000);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await world.shot("09-phone-dashboard", page, { fullPage: true });
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  },
  {
    name: "both pages have a dark side",
    check: async (world) => {
      const { page, base, bought } = world;
      await page.emulateMedia({ colorScheme: "dark" });
      await page.goto(`${base}/dashboard`);
      await page.locator("[data-store]").first().waitFor();
      await page.waitForTimeout(4_000);
      await world.shot("12-dashboard-dark", page, { fullPage: true });
      for (const [name, path] of [
        ["feed", "/"],
        ["product", `/product/${bought.id}`],
      ]) {
        await page.goto(base + path);
        await page.locator("[data-card]").first().waitFor();
        await page.waitForLoadState("networkidle");
        await world.shot(`13-dark-${name}`);
      }
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.notEqual(background, "rgb(246, 245, 241)");
      await page.emulateMedia({ colorScheme: "light" });
    },
  },
];
