/** Accounts: in and out, the guest's cart that comes along, and orders that are cancelled and sent back. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { totp } from "../totp.mjs";
import { until } from "./api.mjs";
import { ADDRESS, fillAddress, guestToken, inCart, pay } from "./buying.mjs";

const PASSWORD = "correct horse battery";

async function logIn(page, email, password = PASSWORD) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("main").getByRole("button", { name: "Log in" }).click();
}

async function logOut(page, base) {
  await page.goto(`${base}/account`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("link", { name: "Log in" }).first().waitFor();
}

/** What the server says of the account, by a log-in of the test's own. */
async function own(api, email, path) {
  const { access_token } = await api.post("/auth/login", { email, password: PASSWORD });
  return api.get(path, { authorization: `Bearer ${access_token}` });
}

async function put(page, base, product) {
  const before = await inCart(page);
  await page.goto(`${base}/product/${product.id}`);
  await page.getByTestId("available").waitFor();
  await page.getByTestId("add-to-cart").first().click();
  await until("the header counts it", async () => (await inCart(page)) === before + 1);
}

export const accountChecks = [
  {
    name: "who opens an account takes along what they had in the cart as a guest",
    check: async (world) => {
      const { page, base, api, bought } = world;
      world.email = `e2e-${randomUUID()}@example.com`;
      await put(page, base, bought);
      await page.getByRole("link", { name: "Log in" }).click();
      await page.getByRole("link", { name: "Open an account" }).click();
      await page.getByLabel("E-mail").fill(world.email);
      await page.getByLabel("New password").fill(PASSWORD);
      await world.shot("19-register");
      await page.getByRole("button", { name: "Open an account" }).click();
      await page.getByTestId("no-orders").waitFor();
      await until("the cart came along", async () => (await inCart(page)) === 1 && (await guestToken(page)) === null);
      const cart = await own(api, world.email, "/cart");
      assert.deepEqual(
        cart.items.map(({ sku, quantity }) => [sku, quantity]),
        [[bought.sku, 1]],
      );
    },
  },
  {
    name: "a reload stays logged in; no access token is kept where it could be read later",
    check: async ({ page }) => {
      await page.reload();
      await page.getByTestId("no-orders").waitFor();
      await until("the cart is there", async () => (await inCart(page)) === 1);
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
      assert.ok(!kept.includes("eyJ"), "a JWT is in the browser's storage");
      assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes("chr_"), "a refresh token is in localStorage");
    },
  },
  {
    name: "logging out leaves nothing behind; a wrong password is told; a log-in merges what was put in meanwhile",
    check: async (world) => {
      const { page, base, api, watched, products, bought, email } = world;
      await logOut(page, base);
      assert.equal(await inCart(page), 0);
      const other =
        products.find(({ sku, variants }) => sku !== bought.sku && variants.length <= 1) ?? products.find(({ sku }) => sku !== bought.sku);
      await put(page, base, other);
      await page.getByRole("link", { name: "Log in" }).click();
      watched.expect("/api/v1/auth/login");
      await logIn(page, email, "another password");
      await page.getByTestId("problem").waitFor();
      assert.match(await page.getByTestId("problem").textContent(), /address or the password is wrong/);
      await world.shot("20-log-in");
      watched.unexpect("/api/v1/auth/login");
      await logIn(page, email);
      await page.getByTestId("no-orders").waitFor();
      await until("both are in the cart", async () => (await inCart(page)) === 2);
      const cart = await own(api, email, "/cart");
      assert.deepEqual(new Set(cart.items.map(({ sku }) => sku)), new Set([bought.sku, other.sku]));
    },
  },
  {
    name: "an address that is kept is there to choose at the checkout, and the order stands in the account",
    check: async (world) => {
      const { page, base, api, email } = world;
      await page.goto(`${base}/account/addresses`);
      await page.getByRole("button", { name: "Add an address" }).click();
      await fillAddress(page);
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByTestId("addresses").getByText(ADDRESS.recipient).waitFor();
      await page.goto(`${base}/cart`);
      await page.getByTestId("to-checkout").click();
      await page.getByRole("heading", { level: 1, name: "Checkout" }).waitFor();
      await page.waitForLoadState("networkidle");
      await world.shot("21-checkout-account", page, { fullPage: true });
      const { status, body, answer } = await pay(page, /is good$/);
      assert.equal(status, 201);
      assert.ok(body.shipping_address_id && !body.shipping_address && !body.email, "the address is named by its id");
      await page.getByTestId("order-placed").waitFor();
      await page.getByRole("link", { name: "See the order" }).click();
      await page.getByTestId("order").waitFor();
      await page.getByRole("heading", { level: 1, name: answer.order.number }).waitFor();
      await page.goto(`${base}/account`);
      await page.getByTestId("orders").getByText(answer.order.number).waitFor();
      await world.shot("22-orders");
      const { orders } = await own(api, email, "/orders");
      assert.deepEqual(
        orders.map(({ number }) => number),
        [answer.order.number],
      );
      world.order = answer.order;
    },
  },
  {
    name: "an order is cancelled, and its history says so",
    check: async (world) => {
      const { page, base, api, order } = world;
      await page.goto(`${base}/account/orders/${order.id}`);
      await page.getByRole("button", { name: "Cancel the order" }).click();
      await page.getByLabel(/^Why/).fill("ordered by mistake");
      await page.getByRole("button", { name: "Yes, cancel it" }).click();
      await page.locator("[data-status=cancelled]").waitFor();
      assert.match(await page.getByTestId("history").textContent(), /Cancelled.*ordered by mistake/s);
      await page.waitForTimeout(300);
      await world.shot("23-cancelled", page, { fullPage: true });
      const now = await api.operator(`/orders/${order.id}`);
      assert.equal(now.status, "cancelled");
      assert.equal(now.refunded_cents, now.total_cents);
      assert.equal(await page.getByRole("button", { name: "Cancel the order" }).count(), 0);
    },
  },
  {
    name: "what was sent can be sent back",
    check: async (world) => {
      const { page, base, api, bought } = world;
      await put(page, base, bought);
      await page.goto(`${base}/checkout`);
      await page.waitForLoadState("networkidle");
      const { answer } = await pay(page, /is good$/);
      await page.getByTestId("order-placed").waitFor();
      const shipment = { carrier: "Royal Mail", tracking_number: "RM123456789GB" };
      await api.operate(`/orders/${answer.id}/shipments`, shipment, { "idempotency-key": randomUUID() });
      await page.getByRole("link", { name: "See the order" }).click();
      await page.getByText("RM123456789GB").first().waitFor();
      assert.equal(await page.getByRole("button", { name: "Cancel the order" }).count(), 0);
      await page.getByRole("button", { name: "Send something back" }).click();
      await page.getByRole("form", { name: "Send something back" }).getByRole("combobox").selectOption("1");
      await page.getByLabel(/^Why/).fill("too small");
      await page.getByRole("button", { name: "Ask to send it back" }).click();
      await page.getByTestId("returns").getByText("too small").waitFor();
      await page.waitForTimeout(300);
      await world.shot("24-returned", page, { fullPage: true });
      const { returns } = await api.operator(`/orders/${answer.id}`);
      assert.deepEqual(
        returns.map(({ reason, status }) => [reason, status]),
        [["too small", "requested"]],
      );
    },
  },
  {
    name: "a second factor is set up, and asked for at the next log-in",
    check: async (world) => {
      const { page, base, watched, email } = world;
      await page.goto(`${base}/account/security`);
      const form = page.getByTestId("second-factor");
      await form.getByText("Set it up").click();
      watched.expect("/api/v1/auth/second-factor");
      await form.getByLabel("Password").fill("not the password");
      await form.getByRole("button", { name: "Go on" }).click();
      await form.getByTestId("problem").waitFor();
      watched.unexpect("/api/v1/auth/second-factor");
      await form.getByLabel("Password").fill(PASSWORD);
      await form.getByRole("button", { name: "Go on" }).click();
      const seed = (await page.getByTestId("seed").textContent()).trim();
      const used = totp(seed);
      await page.getByLabel("The code that it shows").fill(used);
      await page.getByRole("button", { name: "Switch it on" }).click();
      await page.getByTestId("recovery-codes").waitFor();
      const recovery = await page.getByTestId("recovery-codes").locator("code").first().textContent();
      await world.shot("25-second-factor", page, { fullPage: true });
      await logOut(page, base);
      watched.expect("/api/v1/auth/login");
      await page.getByRole("link", { name: "Log in" }).click();
      await logIn(page, email);
      await page.getByLabel("Code", { exact: true }).waitFor();
      await world.shot("26-code");
      // A code is good once: the one that set it up does not come in.
      await page.getByLabel("Code", { exact: true }).fill(world.isMock ? totp(seed) : recovery);
      await page.getByRole("main").getByRole("button", { name: "Log in" }).click();
      await page.getByTestId("orders").getByText(/./).first().waitFor();
      watched.unexpect("/api/v1/auth/login");
    },
  },
  {
    name: "a link from a message that is not good says so, and leads on",
    check: async ({ page, base, watched }) => {
      watched.expect("/api/v1/auth/");
      await page.goto(`${base}/account/verify-email?token=cho_none`);
      await page.getByRole("button", { name: "Yes, it is mine" }).click();
      await page.getByTestId("bad-link").waitFor();
      await page.goto(`${base}/account/reset-password?token=cho_none`);
      await page.getByLabel("New password").fill(PASSWORD);
      await page.getByRole("button", { name: "Set it" }).click();
      await page.getByTestId("bad-link").waitFor();
      await page.getByRole("link", { name: /another link/ }).click();
      await page.getByLabel("E-mail").fill("nobody@example.com");
      await page.getByRole("button", { name: "Send the message" }).click();
      await page.getByTestId("message-sent").waitFor();
      watched.unexpect("/api/v1/auth/");
    },
  },
  {
    name: "an order of somebody else's is none",
    check: async ({ page, base, watched }) => {
      const none = "00000000-0000-4000-8000-000000000000";
      watched.expect(none);
      await page.goto(`${base}/account/orders/${none}`);
      await page.getByRole("heading", { name: "There is no such order" }).waitFor();
      watched.unexpect(none);
    },
  },
];
