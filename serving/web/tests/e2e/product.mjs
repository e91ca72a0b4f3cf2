import assert from "node:assert/strict";
import { until } from "./api.mjs";

const NO_PRODUCT = "00000000-0000-4000-8000-000000000000";
const stockShown = async (page) => Number((await page.getByTestId("available").textContent()).replaceAll(",", ""));

export const productChecks = [
  {
    name: "a product's page shows its price, its stock and related products",
    check: async (world) => {
      const { page, base, api, products } = world;
      // The checks buy a good many of it, and without choosing a version.
      world.bought = await api.withRelated(products.filter(({ available, variants }) => available >= 20 && variants.length <= 1));
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
    name: "a product that does not exist has a page that says so",
    check: async ({ page, base, watched }) => {
      watched.expect(NO_PRODUCT);
      await page.goto(`${base}/product/${NO_PRODUCT}`);
      await page.getByRole("heading", { level: 1, name: /not in the shop/ }).waitFor();
    },
  },
];
