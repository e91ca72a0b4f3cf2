import assert from "node:assert/strict";
import { until } from "./api.mjs";

const NO_PRODUCT = "00000000-0000-4000-8000-000000000000";
const stockShown = async (page) => Number((await page.getByTestId("available").textContent()).replaceAll(",", ""));

export const productChecks = [
  {
    name: "a product's page shows its price, its stock and related products",
    check: async (world) => {
      const { page, base, api, products } = world;
      world.bought = await api.withRelated(products);
      await page.goto(`${base}/product/${world.bought.id}`);
      await page.getByRole("heading", { level: 1, name: world.bought.name }).waitFor();
      assert.equal(
        await page.getByTestId("price").textContent(),
        (world.bought.price_cents / 100).toLocaleString("en-GB", { style: "currency", currency: world.bought.currency }),
      );
      await page.getByTestId("available").waitFor();
      const { available } = await api.get(`/inventory/${encodeURIComponent(world.bought.sku)}`);
      await until("the stock shown is the server's", async () => Math.abs((await stockShown(page)) - available) <= 5);
      assert.ok((await page.getByTestId("related").locator("[data-card]").count()) > 0, "related products");
      await page.waitForLoadState("networkidle");
      await world.shot("06-product");
    },
  },
  {
    name: "the visit is told to the shop as an event of this session",
    check: async ({ page, bought }) => {
      const sent = page.waitForRequest(
        (request) => request.url().endsWith("/api/v1/events") && (request.postData() ?? "").includes(`"sku":"${bought.sku}"`),
      );
      await page.reload();
      const request = await sent;
      const response = await request.response();
      assert.equal(response?.status(), 202);
      const session = await page.evaluate(() => sessionStorage.getItem("chimera.session"));
      const { events } = JSON.parse(request.postData());
      assert.ok(events.some((event) => event.type === "view" && event.session_id === session));
    },
  },
  {
    name: "buying shows the order's number, and at once a stock that counts it",
    check: async (world) => {
      const { page, bought } = world;
      await page.getByTestId("available").waitFor();
      const before = await stockShown(page);
      const order = page.waitForRequest((request) => request.url().endsWith("/api/v1/orders"));
      const read = page.waitForRequest((request) => request.url().includes("/api/v1/inventory/") && request.url().includes("after="));
      await page.getByRole("button", { name: "One more" }).click();
      await page.getByTestId("buy").click();
      const request = await order;
      assert.match(request.headers()["idempotency-key"] ?? "", /^[0-9a-f-]{36}$/);
      assert.deepEqual(JSON.parse(request.postData()).items, [{ sku: bought.sku, quantity: 2 }], "nothing but SKU and quantity is sent");
      await page.getByTestId("order-placed").waitFor();
      assert.ok((await page.getByTestId("order-number").textContent()).length > 0);
      const answer = await (await request.response()).json();
      assert.equal(new URL((await read).url()).searchParams.get("after"), answer.position);
      const now = await stockShown(page);
      assert.ok(now <= before - 2, `stock fell from ${before} to ${now}, 2 were bought`);
      await world.shot("07-bought");
    },
  },
  {
    name: "a product that does not exist has a page that says so",
    check: async ({ page, base, watched }) => {
      watched.expect(NO_PRODUCT);
      await page.goto(`${base}/product/${NO_PRODUCT}`);
      await page.getByRole("heading", { level: 1, name: /not in the shop/ }).waitFor();
    },
  },
  {
    name: "a refused order is explained by the server's own words",
    check: async (world) => {
      const { page, base, watched, bought } = world;
      watched.expect("/api/v1/orders");
      await page.goto(`${base}/product/${bought.id}`);
      await page.getByTestId("available").waitFor();
      // The page never asks for what cannot be had, so the request is changed on its way.
      await page.route("**/api/v1/orders", (route) =>
        route.continue({ postData: JSON.stringify({ country: "United Kingdom", items: [{ sku: bought.sku, quantity: 9_999 }] }) }),
      );
      const refused = page.waitForResponse((response) => response.url().endsWith("/api/v1/orders"));
      await page.getByTestId("buy").click();
      const problem = await (await refused).json();
      await page.unroute("**/api/v1/orders");
      const note = page.getByTestId("problem");
      await note.waitFor();
      assert.ok(problem.title && (await note.textContent()).includes(problem.title), `the title of ${JSON.stringify(problem)}`);
      if (problem.detail) assert.ok((await note.textContent()).includes(problem.detail));
      await world.shot("08-refused");
      watched.unexpect("/api/v1/orders");
    },
  },
  {
    name: "on a phone nothing is cut off",
    check: async (world) => {
      const { page, base, bought } = world;
      await page.setViewportSize({ width: 390, height: 844 });
      for (const [name, path] of [
        ["feed", "/"],
        ["results", "/?sort=popularity"],
        ["product", `/product/${bought.id}`],
      ]) {
        await page.goto(base + path);
        await page.locator("[data-card], [data-testid=available]").first().waitFor();
        await page.waitForLoadState("networkidle");
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
        await world.shot(`09-phone-${name}`);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  },
];
