/** The mock's carts, quotes, purchases and orders. */
import { randomUUID } from "node:crypto";
import { Problem } from "./problem.mjs";

const FREE_FROM_CENTS = 5_000;
const SHIPPING_CENTS = { standard: 495, express: 995 };

export class Purchases {
  carts = new Map();
  coupons = new Map();
  promotions = new Map();
  purchases = new Map();
  byKey = new Map();
  orders = new Map();

  constructor(shop) {
    this.shop = shop;
  }

  #cart(owner) {
    const known = this.carts.get(owner) ?? { id: randomUUID(), version: 0, units: new Map() };
    this.carts.set(owner, known);
    return known;
  }

  shown(owner, guest_token) {
    const { id, version, units } = this.carts.get(owner) ?? { id: null, version: 0, units: new Map() };
    const items = [...units].sort().map(([sku, quantity]) => {
      const unit = this.shop.bySku.get(sku);
      const available = this.shop.available(sku);
      return {
        sku,
        quantity,
        unit_price_cents: unit.price_cents,
        total_cents: unit.price_cents * quantity,
        product_id: unit.id,
        name: unit.name,
        image_url: unit.image_url,
        available,
        ...(available < quantity ? { obstacle: "not_enough_stock" } : {}),
      };
    });
    return {
      id,
      version,
      items,
      total_items: items.reduce((sum, { quantity }) => sum + quantity, 0),
      subtotal_cents: items.reduce((sum, { total_cents }) => sum + total_cents, 0),
      currency: items.length > 0 ? "GBP" : null,
      is_ready: items.length > 0 && items.every(({ obstacle }) => !obstacle),
      ...(guest_token ? { guest_token } : {}),
    };
  }

  change(owner, sku, make) {
    const cart = this.#cart(owner);
    if (!this.shop.bySku.has(sku))
      throw new Problem(422, "unknown-sku", "Some SKUs cannot be ordered", `The catalogue does not hold ${sku}.`);
    const units = make(cart.units.get(sku) ?? 0);
    cart.version++;
    if (units > 0) cart.units.set(sku, units);
    else cart.units.delete(sku);
  }

  merge(guest, own) {
    for (const [sku, units] of this.carts.get(guest)?.units ?? []) this.change(own, sku, (there) => there + units);
    this.carts.delete(guest);
  }

  quote({ items, coupons = [], destination, shipping_method = "standard" }) {
    const lines = items.map(({ sku, quantity }) => ({ sku, quantity, ...this.shop.bySku.get(sku) }));
    const subtotal = lines.reduce((sum, { price_cents, quantity }) => sum + price_cents * quantity, 0);
    const good = coupons.map((code) => [code, this.promotions.get(this.coupons.get(code))]).filter(([, promotion]) => promotion);
    const discounts = good.map(([coupon, { id, name, rule }]) => ({
      promotion_id: id,
      name,
      coupon,
      amount_cents: Math.floor((subtotal * rule.basis_points) / 10_000),
      sku: null,
    }));
    const discount = discounts.reduce((sum, { amount_cents }) => sum + amount_cents, 0);
    const shipping = shipping_method === "standard" && subtotal >= FREE_FROM_CENTS ? 0 : SHIPPING_CENTS[shipping_method];
    const total = subtotal - discount + shipping;
    const taxed = destination?.country === "United Kingdom";
    return {
      currency: "GBP",
      lines: [],
      subtotal_cents: subtotal,
      discounts,
      discount_cents: discount,
      shipping_cents: shipping,
      shipping_tax_cents: 0,
      tax_cents: taxed ? Math.round(total / 6) : 0,
      tax_included: taxed,
      total_cents: total,
      rejected_coupons: coupons.filter((code) => !this.coupons.has(code)).map((code) => ({ code, reason: "unknown" })),
    };
  }

  buy(owner, account, key, body) {
    const known = this.byKey.get(`${owner} ${key}`);
    if (known) return this.purchase(known, owner);
    const cart = this.shown(owner);
    if (cart.items.length === 0) throw new Problem(409, "cart-empty", "The cart is empty", "There is nothing in the cart.");
    const shipping = body.shipping_address ?? account?.addresses.find(({ id }) => id === body.shipping_address_id);
    const quote = this.quote({ ...body, items: cart.items, destination: shipping });
    if (quote.total_cents !== body.total_cents)
      throw new Problem(409, "price-changed", "It costs something else now", `It costs ${quote.total_cents} cents now.`, { quote });
    const id = randomUUID();
    this.byKey.set(`${owner} ${key}`, id);
    const purchase = { id, owner, quote, order: null, problem: null, decidedAt: Date.now() };
    this.purchases.set(id, purchase);
    if (body.payment_token.includes("declined")) {
      purchase.problem = new Problem(402, "payment-declined", "The payment was declined", "The card was declined.", { checkout_id: id });
    } else {
      const items = cart.items.map(({ sku, quantity }) => ({ sku, quantity }));
      const placed = this.shop.order(id, { country: shipping.country, items });
      purchase.order = this.#written({ id, placed, quote, cart, shipping, email: body.email ?? account?.email, account });
      this.carts.get(owner).units.clear();
      this.carts.get(owner).version++;
      if (body.payment_token === "tok_pending") purchase.decidedAt += 1_500;
    }
    return this.purchase(id, owner);
  }

  #written({ id, placed, quote, cart, shipping, email, account }) {
    const at = new Date().toISOString();
    const order = {
      id,
      number: placed.number,
      status: "paid",
      customer_id: account?.user_id ?? null,
      placed_at: at,
      currency: "GBP",
      subtotal_cents: quote.subtotal_cents,
      discount_cents: quote.discount_cents,
      shipping_cents: quote.shipping_cents,
      tax_cents: quote.tax_cents,
      total_cents: quote.total_cents,
      refunded_cents: 0,
      items: cart.items.map(({ sku, name, quantity, unit_price_cents, total_cents }, i) => ({
        line_no: i + 1,
        sku,
        name,
        quantity,
        unit_price: (unit_price_cents / 100).toFixed(2),
        paid_cents: total_cents,
        shipped: 0,
        returned: 0,
      })),
      email,
      shipping_address: shipping,
      billing_address: shipping,
      shipments: [],
      returns: [],
      history: ["placed", "paid"].map((status) => ({ status, note: null, occurred_at: at })),
    };
    this.orders.set(id, order);
    return order;
  }

  purchase(id, owner) {
    const purchase = this.purchases.get(id);
    if (purchase?.owner !== owner) throw new Problem(404, "checkout-not-found", "There is no such purchase", `You have no purchase ${id}.`);
    if (purchase.problem) throw purchase.problem;
    const done = Date.now() >= purchase.decidedAt;
    const at = new Date().toISOString();
    return {
      id,
      status: done ? "completed" : "pending",
      quote: purchase.quote,
      expires_at: at,
      created_at: at,
      order: done ? purchase.order : null,
      position: done ? this.shop.position() : null,
    };
  }

  ordersOf(account) {
    const own = [...this.orders.values()].filter(({ customer_id }) => customer_id === account.user_id).reverse();
    return { orders: own.map((order) => ({ ...order, units: order.items.reduce((sum, { quantity }) => sum + quantity, 0) })), next: null };
  }

  order(id, account) {
    const order = this.orders.get(id);
    if (!order || !(account.operator || order.customer_id === account.user_id))
      throw new Problem(404, "order-not-found", "There is no such order", `There is no order ${id} of yours.`);
    return order;
  }

  move(order, status, note = null) {
    order.status = status;
    order.history.push({ status, note, occurred_at: new Date().toISOString() });
  }

  /** Answers of the cart, prices, checkout and orders; `undefined`: there is no such route. */
  answer(route, { id, body, account, guest, key, json }) {
    const owner = account ? account.user_id : (guest ?? null);
    switch (route) {
      case "GET cart":
        return json(this.shown(owner));
      case "POST cart/items": {
        const fresh = owner === null ? `chg_${randomUUID()}` : null;
        const of = owner ?? fresh;
        if (key && this.byKey.has(`add ${key}`)) return json(this.shown(of));
        this.change(of, body.sku, (units) => units + body.quantity);
        if (key) this.byKey.set(`add ${key}`, of);
        return json(this.shown(of, fresh));
      }
      case "PUT cart/items/*":
        this.change(owner, id, () => body.quantity);
        return json(this.shown(owner));
      case "DELETE cart/items/*":
        this.change(owner, id, () => 0);
        return json(this.shown(owner));
      case "POST cart/merge":
        this.merge(body.guest_token, account.user_id);
        return json(this.shown(account.user_id));
      case "POST pricing/quote":
        return json(this.quote(body));
      case "POST checkout": {
        const answer = this.buy(owner, account, key, body);
        return json(answer, answer.status === "completed" ? 201 : 202);
      }
      case "GET checkout/*":
        return json(this.purchase(id, owner));
      case "GET orders":
        return json(this.ordersOf(account));
      case "GET orders/*":
        return json(this.order(id, account));
      case "POST orders/*/cancel": {
        const order = this.order(id, account);
        this.move(order, "cancelled", body.reason ?? null);
        order.refunded_cents = order.total_cents;
        order.items.forEach((line) => (line.returned = line.quantity));
        return json({ ...order, position: this.shop.position() });
      }
      case "POST orders/*/shipments": {
        const order = this.order(id, account);
        const items = order.items.map(({ line_no, quantity }) => ({ line_no, quantity }));
        order.items.forEach((line) => (line.shipped = line.quantity));
        order.shipments.push({ id: randomUUID(), ...body, shipped_at: new Date().toISOString(), delivered_at: null, items });
        this.move(order, "shipped", body.tracking_number);
        return json({ ...order, position: this.shop.position() });
      }
      case "POST orders/*/returns": {
        const order = this.order(id, account);
        order.returns.push({
          id: randomUUID(),
          status: "requested",
          refund_cents: 0,
          requested_at: new Date().toISOString(),
          decided_at: null,
          ...body,
        });
        return json({ ...order, position: this.shop.position() });
      }
      case "POST promotions":
        if (!account?.operator) throw new Problem(403, "forbidden", "This is not yours to do", "For merchandisers.");
        this.promotions.set(`p${this.promotions.size}`, { ...body, id: `p${this.promotions.size}` });
        return json({ ...body, id: `p${this.promotions.size - 1}` }, 201);
      case "POST promotions/*/coupons":
        body.codes.forEach((code) => this.coupons.set(code, id));
        return json({ coupons: body.codes.map((code) => ({ code })) }, 201);
    }
    return undefined;
  }
}
