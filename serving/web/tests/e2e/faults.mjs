/** What the pages do when things go wrong: each check has a mock server and a page of its own. */
import assert from "node:assert/strict";
import { start } from "../mock-server.mjs";
import { Api, until } from "./api.mjs";
import { fillAddress, inCart } from "./buying.mjs";

/** A check with a fresh mock and a fresh browser context, both gone afterwards. */
const fault = (name, check, options = {}) => ({
  name,
  check: async ({ browser, shot }) => {
    const mock = await start(options);
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
    context.setDefaultTimeout(10_000);
    try {
      await check({ mock, page: await context.newPage(), api: new Api(mock.base, mock.token), shot });
    } finally {
      await context.close();
      await mock.close();
    }
  },
});

const orders = async (api) => (await api.operator("/views/sales.totals")).rows[0].orders;

/** Puts a product into the cart, and fills the checkout in. */
async function toCheckout(mock, page, api) {
  const product = (await api.products())[0];
  await page.goto(`${mock.base}/product/${product.id}`);
  await page.getByTestId("available").waitFor();
  await page.getByTestId("add-to-cart").first().click();
  await until("the header counts it", async () => (await inCart(page)) === 1);
  await page.goto(`${mock.base}/checkout`);
  await page.getByLabel("E-mail").fill("ada@example.com");
  await fillAddress(page);
  await page.waitForLoadState("networkidle");
}

export const faultChecks = [
  fault("a variant has a price and a stock of its own, and is what goes into the cart", async ({ mock, page, api, shot }) => {
    const { hits } = await api.get("/search?q=cushion&limit=1");
    const [product] = hits;
    const large = product.variants.find(({ price_cents }) => price_cents !== null);
    await page.goto(`${mock.base}/product/${product.id}`);
    await page.getByText("Size: L").click();
    await until("the variant's price", async () => (await page.getByTestId("price").textContent()) === "£34.99");
    await page.getByTestId("available").waitFor();
    const added = page.waitForRequest("**/api/v1/cart/items");
    await page.getByTestId("add-to-cart").first().click();
    assert.deepEqual(JSON.parse((await added).postData()), { sku: large.sku, quantity: 1 });
    await until("the header counts it", async () => (await inCart(page)) === 1);
    await shot("31-variant", page);
  }),
  fault(
    "a store that is behind and one in error stand out, with the reason",
    async ({ mock, page, shot }) => {
      await page.goto(`${mock.base}/dashboard#token=${mock.token}`);
      await page.locator("[data-health=behind]").waitFor();
      assert.equal(await page.locator("[data-health=error]").count(), 1);
      assert.match(await page.locator(".panel-stores .panel-head").textContent(), /1 in error, 1 behind/);
      const why = (await page.locator(".store-why").allTextContents()).join("\n");
      assert.match(why, /closed the connection/);
      assert.match(why, /committed 4\d s ago cannot be read here yet; other stores have read more of orders/);
      await page.waitForTimeout(3_000);
      await page.locator(".panel-stores").scrollIntoViewIfNeeded();
      await shot("30-trouble", page);
    },
    { trouble: true },
  ),
  fault("the dashboard comes back by itself after its connections were cut, and missed nothing", async ({ mock, page, api }) => {
    const shown = async () => Number((await page.getByTestId("total-orders").textContent()).replaceAll(",", ""));
    await page.goto(`${mock.base}/dashboard#token=${mock.token}`);
    await until("live", async () => (await page.getByTestId("connection").textContent()) === "Live" && (await shown()) > 0);
    const before = await shown();
    const product = (await api.products())[0];
    // It says so for a moment only.
    const lost = page.getByText("Connection lost").waitFor();
    mock.cut();
    await api.order(product.sku, 1);
    await lost;
    await until("the order that was placed meanwhile is counted", async () => (await shown()) === before + 1);
    await page.getByTestId("connection").waitFor();
    await api.order(product.sku, 1);
    await until("and the next one", async () => (await shown()) === before + 2);
  }),
  fault("a purchase whose answer was lost is bought once when it is sent again", async ({ mock, page, api, shot }) => {
    await toCheckout(mock, page, api);
    const before = await orders(api);
    const keys = [];
    await page.route("**/api/v1/checkout", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort("connectionreset");
    });
    await page.getByTestId("pay").click();
    await page.getByText("The shop cannot be reached").waitFor();
    assert.match(await page.getByTestId("refusal").textContent(), /Trying again is safe/);
    assert.equal(await orders(api), before + 1);
    await shot("32-lost", page);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByTestId("order-placed").waitFor();
    assert.equal(await orders(api), before + 1, "the same key was sent again");
    assert.equal(new Set(keys).size, 1);
  }),
  fault("an article whose answer was lost is put in once", async ({ mock, page, api }) => {
    const product = (await api.products())[0];
    await page.goto(`${mock.base}/product/${product.id}`);
    await page.getByTestId("available").waitFor();
    // The first one makes the cart: without its token nothing could be found again.
    await page.getByTestId("add-to-cart").first().click();
    await until("the header counts one", async () => (await inCart(page)) === 1);
    const keys = [];
    await page.route("**/api/v1/cart/items", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort("connectionreset");
    });
    await page.getByTestId("add-to-cart").first().click();
    await until("the header counts two", async () => (await inCart(page)) === 2);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  }),
  fault("a price that has changed is shown before it is paid", async ({ mock, page, api }) => {
    await toCheckout(mock, page, api);
    const problem = {
      type: "/problems/price-changed",
      title: "It costs something else now",
      status: 409,
      detail: "It costs 1 cent more now.",
    };
    await page.route(
      "**/api/v1/checkout",
      (route) => route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(problem) }),
      { times: 1 },
    );
    const quoted = page.waitForRequest("**/api/v1/pricing/quote");
    await page.getByTestId("pay").click();
    await quoted;
    assert.match(await page.getByTestId("refusal").textContent(), /what it costs now. If you agree, buy again/);
    await page.getByTestId("pay").click();
    await page.getByTestId("order-placed").waitFor();
  }),
  fault("an order stands when the stock cannot be read at its position in time", async ({ mock, page, api }) => {
    await toCheckout(mock, page, api);
    const problem = { type: "/problems/store-behind", title: "The store has not caught up yet", status: 504 };
    await page.route(/inventory\/.*after=/, (route) =>
      route.fulfill({ status: 504, contentType: "application/problem+json", body: JSON.stringify(problem) }),
    );
    await page.getByTestId("pay").click();
    await page.getByTestId("order-placed").waitFor();
  }),
  fault("links from messages verify an address, and set a new password", async ({ mock, page, api }) => {
    const email = "ada@example.com";
    await api.post("/auth/register", { email, password: "correct horse battery" });
    const account = mock.accounts.byEmail.get(email);
    const link = (purpose) => mock.accounts.message(purpose, account);
    await page.goto(`${mock.base}/account/verify-email?token=${link("verify")}`);
    assert.equal(account.verified, null, "looking at the page takes no token");
    await page.getByRole("button", { name: "Yes, it is mine" }).click();
    await page.getByTestId("email-verified").waitFor();
    assert.ok(account.verified);
    await page.goto(`${mock.base}/account/reset-password?token=${link("reset")}`);
    await page.getByLabel("New password").fill("another horse battery");
    await page.getByRole("button", { name: "Set it" }).click();
    await page.getByTestId("password-set").waitFor();
    assert.equal(account.password, "another horse battery");
  }),
  fault("a session that was ended elsewhere leads to the log-in, and back", async ({ mock, page, api }) => {
    await api.post("/auth/register", { email: "ada@example.com", password: "correct horse battery" });
    await page.goto(`${mock.base}/account`);
    const enter = async () => {
      await page.getByLabel("E-mail").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
      await page.getByRole("main").getByRole("button", { name: "Log in" }).click();
    };
    await enter();
    await page.getByTestId("no-orders").waitFor();
    mock.accounts.access.clear();
    await page.getByRole("link", { name: "Addresses" }).click();
    await page.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    await enter();
    await page.getByRole("heading", { level: 1, name: "Addresses" }).waitFor();
  }),
  fault("a slow answer to a query that has changed since is never shown", async ({ mock, page }) => {
    await page.route(/search\?q=lamp&/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.continue().catch(() => undefined); // Given up by the page: as it should be.
    });
    await page.goto(`${mock.base}/`);
    const given = page.waitForEvent("requestfailed", (request) => request.url().includes("q=lamp&"));
    const input = page.getByRole("textbox", { name: "Search the shop" });
    await input.fill("lamp");
    await page.waitForRequest((request) => request.url().includes("q=lamp&"));
    await input.fill("clock");
    await page.getByText("for “clock”").waitFor();
    assert.equal((await given).failure()?.errorText, "net::ERR_ABORTED");
    await page.waitForTimeout(2_000);
    const names = await page.locator("[data-card] h3").allTextContents();
    assert.ok(names.length > 0 && names.every((name) => name.includes("clock")), names.join(", "));
  }),
  fault("a search that fails says why and can be tried again", async ({ mock, page }) => {
    await page.goto(`${mock.base}/?q=break`);
    const note = page.getByTestId("problem");
    await note.waitFor();
    assert.match(await note.textContent(), /cannot be reached.*The index is away/s);
    await page.route("**/api/v1/search?*", (route) => route.continue({ url: route.request().url().replace("q=break", "q=mug") }));
    await note.getByRole("button", { name: "Try again" }).click();
    await page.locator("[data-card]").first().waitFor();
  }),
  fault("events that could not be sent are sent again under the same ids", async ({ mock, page, api }) => {
    const product = (await api.products())[0];
    const batches = [];
    await page.route("**/api/v1/events", (route) => {
      batches.push(JSON.parse(route.request().postData()).events.map(({ event_id }) => event_id));
      return batches.length === 1 ? route.abort("connectionreset") : route.continue();
    });
    await page.goto(`${mock.base}/product/${product.id}`);
    await until("two attempts", () => batches.length >= 2);
    assert.deepEqual(batches[1].slice(0, batches[0].length), batches[0]);
  }),
  fault("what was just viewed is in the feed when going back to it", async ({ mock, page, api }) => {
    const product = (await api.products()).find(({ category }) => category === "Plants");
    await page.goto(`${mock.base}/`);
    await page.locator("[data-reason]").first().waitFor();
    assert.equal(await page.locator("[data-reason=because_you_viewed]").count(), 0);
    await page.goto(`${mock.base}/product/${product.id}`);
    await page.getByTestId("available").waitFor();
    await page.waitForTimeout(300);
    await page.getByRole("link", { name: "Shop", exact: true }).click();
    await page.locator("[data-reason=because_you_viewed] [data-category=Plants]").first().waitFor();
  }),
];
