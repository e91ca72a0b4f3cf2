/** From the search to the success page as a guest: cart, coupon, a declined card and a good one. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "./api.mjs";

export const pounds = (cents) => (cents / 100).toLocaleString("en-GB", { style: "currency", currency: "GBP" });
export const inCart = async (page) => {
  const shown = page.getByTestId("cart-count");
  return (await shown.count()) === 0 ? 0 : Number((await shown.textContent()).replace(/\D/g, ""));
};
export const guestToken = (page) => page.evaluate(() => localStorage.getItem("chimera.cart"));
export const total = async (page) => page.getByTestId("total").locator("dd").textContent();

export const ADDRESS = {
  recipient: "Ada Lovelace",
  address_line_1: "12 St James's Square",
  city: "London",
  postal_code: "SW1Y 4LE",
  country: "United Kingdom",
};

export async function fillAddress(page, address = ADDRESS) {
  await page.getByLabel("Name", { exact: true }).fill(address.recipient);
  await page.getByLabel("Street and number").fill(address.address_line_1);
  await page.getByLabel("Postcode").fill(address.postal_code);
  await page.getByLabel("Town").fill(address.city);
  await page.getByLabel("Country").selectOption(address.country);
}

/** Chooses a card and pays; the request that was sent, and its answer. */
export async function pay(page, card) {
  await page.getByRole("radio", { name: card }).check();
  const sent = page.waitForResponse((response) => response.url().endsWith("/api/v1/checkout") && response.request().method() === "POST");
  await page.getByTestId("pay").click();
  const response = await sent;
  const request = response.request();
  return {
    key: request.headers()["idempotency-key"],
    body: JSON.parse(request.postData()),
    status: response.status(),
    answer: await response.json(),
  };
}

export const buyingChecks = [
  {
    name: "a hit of a search goes into the cart by one click, and the header counts it",
    check: async (world) => {
      const { page, base, api, bought } = world;
      await page.goto(`${base}/?q=${encodeURIComponent(bought.name)}`);
      const card = page.locator(`[data-card][data-sku="${bought.sku}"]`).first();
      await card.getByTestId("add-to-cart").click();
      await until("the header counts one", async () => (await inCart(page)) === 1);
      world.guest = await guestToken(page);
      const cart = await api.get("/cart", { "chimera-cart": world.guest });
      assert.deepEqual(
        cart.items.map(({ sku, quantity }) => [sku, quantity]),
        [[bought.sku, 1]],
      );
      await page.waitForTimeout(300);
      await world.shot("14-added");
    },
  },
  {
    name: "a product's page puts several in, under a key and with nothing but SKU and quantity",
    check: async ({ page, base, bought }) => {
      await page.goto(`${base}/product/${bought.id}`);
      await page.getByTestId("available").waitFor();
      await page.getByRole("button", { name: "One more" }).click();
      const added = page.waitForRequest((request) => request.url().endsWith("/api/v1/cart/items"));
      await page.getByTestId("add-to-cart").first().click();
      const request = await added;
      assert.match(request.headers()["idempotency-key"] ?? "", /^[0-9a-f-]{36}$/);
      assert.deepEqual(JSON.parse(request.postData()), { sku: bought.sku, quantity: 2 });
      await until("the header counts three", async () => (await inCart(page)) === 3);
    },
  },
  {
    name: "the cart shows what the server's quote says, for each quantity, country and coupon",
    check: async (world) => {
      const { page, base, api, bought, guest } = world;
      world.coupon = `E2E-${randomUUID().slice(0, 8).toUpperCase()}`;
      const rule = { kind: "percentage", basis_points: 1_000 };
      const { id } = await api.operate("/promotions", { name: "A tenth off", rule, needs_coupon: true });
      await api.operate(`/promotions/${id}/coupons`, { codes: [world.coupon] });
      const quoted = async (quantity, country, coupons) => {
        const wanted = { items: [{ sku: bought.sku, quantity }], coupons, destination: { country } };
        return pounds((await api.post("/pricing/quote", wanted)).total_cents);
      };
      await page.goto(`${base}/cart`);
      await until("the total is the quote's", async () => (await total(page)) === (await quoted(3, "United Kingdom", [])));
      await page.getByRole("button", { name: "One less" }).click();
      await until("the header counts two", async () => (await inCart(page)) === 2);
      assert.equal((await api.get("/cart", { "chimera-cart": guest })).items[0].quantity, 2);
      await page.getByLabel("Delivered to").selectOption("Germany");
      await until("the total is the quote's for Germany", async () => (await total(page)) === (await quoted(2, "Germany", [])));
      await page.getByLabel("Delivered to").selectOption("United Kingdom");
      await page.getByLabel("Coupon", { exact: true }).fill(world.coupon.toLowerCase());
      await page.getByRole("button", { name: "Apply" }).click();
      await until("the coupon is off", async () => (await total(page)) === (await quoted(2, "United Kingdom", [world.coupon])));
      await page.getByText("A tenth off").waitFor();
      await page.waitForLoadState("networkidle");
      await world.shot("15-cart");
    },
  },
  {
    name: "a coupon that does not exist is told, and can be taken out",
    check: async ({ page }) => {
      await page.getByLabel("Coupon", { exact: true }).fill("NO-SUCH-THING");
      await page.getByRole("button", { name: "Apply" }).click();
      await page.getByText("NO-SUCH-THING: There is no such coupon.").waitFor();
      await page.getByRole("button", { name: "Remove the coupon NO-SUCH-THING" }).click();
      await until("it is gone", async () => (await page.getByText("NO-SUCH-THING").count()) === 0);
    },
  },
  {
    name: "a form that is not filled in buys nothing",
    check: async ({ page }) => {
      await page.getByTestId("to-checkout").click();
      await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
      let sent = 0;
      page.on("request", (request) => (sent += Number(request.url().endsWith("/api/v1/checkout"))));
      await page.getByTestId("pay").click();
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "email");
      assert.equal(sent, 0);
    },
  },
  {
    name: "a declined card buys nothing and says what to do next; a good one then buys once",
    check: async (world) => {
      const { page, api, watched, bought, guest, coupon } = world;
      const stock = async () => (await api.get(`/inventory/${encodeURIComponent(bought.sku)}`)).available;
      await page.getByLabel("E-mail").fill("ada@example.com");
      await fillAddress(page);
      await page.getByRole("radio", { name: /^Express/ }).check();
      await page.waitForLoadState("networkidle");
      await world.shot("16-checkout", page, { fullPage: true });
      watched.expect("/api/v1/checkout");
      const declined = await pay(page, /is declined$/);
      watched.unexpect("/api/v1/checkout");
      assert.equal(declined.status, 402);
      const note = page.getByTestId("refusal");
      await note.waitFor();
      assert.ok((await note.textContent()).includes(declined.answer.title));
      assert.match(await note.textContent(), /Choose another way to pay/);
      await world.shot("17-declined");
      assert.equal((await api.get("/cart", { "chimera-cart": guest })).total_items, 2, "the cart is as it was");
      const before = await stock();

      const good = await pay(page, /is good$/);
      assert.equal(good.status, 201);
      assert.notEqual(good.key, declined.key, "another purchase");
      assert.deepEqual(Object.keys(good.body).sort(), [
        "coupons",
        "email",
        "payment_token",
        "shipping_address",
        "shipping_method",
        "total_cents",
      ]);
      await page.getByTestId("order-placed").waitFor();
      const number = await page.getByTestId("order-number").textContent();
      assert.equal(number, good.answer.order.number);
      await until("the cart is empty", async () => (await inCart(page)) === 0);
      await page.waitForLoadState("networkidle");
      await world.shot("18-bought", page, { fullPage: true });

      const order = await api.operator(`/orders/${good.answer.id}`);
      assert.equal(order.status, "paid");
      assert.equal(order.number, number);
      assert.deepEqual(
        order.items.map(({ sku, quantity }) => [sku, quantity]),
        [[bought.sku, 2]],
      );
      const wanted = { items: [{ sku: bought.sku, quantity: 2 }], coupons: [coupon], destination: { country: "United Kingdom" } };
      const quote = await api.post("/pricing/quote", { ...wanted, shipping_method: "express" });
      assert.equal(order.total_cents, quote.total_cents);
      assert.equal(order.shipping_address.postal_code, ADDRESS.postal_code);
      await until("two units are gone", async () => (await stock()) <= before - 2);
      assert.equal((await api.get("/cart", { "chimera-cart": guest })).total_items, 0);
    },
  },
  {
    name: "the success page is still there after a reload, and nobody else's",
    check: async ({ page, browser, base }) => {
      const number = await page.getByTestId("order-number").textContent();
      await page.reload();
      await page.getByTestId("order-placed").waitFor();
      assert.equal(await page.getByTestId("order-number").textContent(), number);
      const stranger = await browser.newContext();
      const other = await stranger.newPage();
      await other.goto(base + new URL(page.url()).pathname);
      await other.getByText("There is no such purchase").waitFor();
      await stranger.close();
    },
  },
  {
    name: "a bank that decides later is waited for",
    check: async (world) => {
      const { page, base, bought } = world;
      await page.goto(`${base}/product/${bought.id}`);
      await page.getByTestId("add-to-cart").first().click();
      await until("the header counts one", async () => (await inCart(page)) === 1);
      await page.goto(`${base}/checkout`);
      await page.getByLabel("E-mail").fill("ada@example.com");
      await fillAddress(page);
      await page.waitForLoadState("networkidle");
      await pay(page, /confirmed a moment later/);
      await page.getByTestId("order-placed").waitFor();
    },
  },
];
