/** The mock's state: stock, orders, sums by minute, views with subscribers. Everything is counted by hand, at once. */
import { randomUUID } from "node:crypto";
import { catalogue } from "./catalogue.mjs";
import { Problem } from "./problem.mjs";

const pad = (value, digits) => String(value).padStart(digits, "0");
const minuteOf = (ms) => new Date(Math.floor(ms / 60_000) * 60_000).toISOString().replace(".000Z", "Z");
const pounds = (cents) => `${Math.trunc(cents / 100)}.${pad(Math.abs(cents % 100), 2)}0`;

const VIEWS = {
  "sales.totals": ["id"],
  "sales.by_minute": ["minute"],
  "sales.by_country": ["country"],
  "sales.by_category": ["category"],
  "sales.top_products": ["rank"],
  "inventory.low_stock": ["sku"],
  "trending.trending": ["category", "window_start", "rank"],
};
const OTHER_STORES = {
  "inventory.stock": "redis",
  "inventory.received": "postgres",
  "search_index.products": "tantivy",
  "search_index.product_documents": "redis",
  "co_view.related_by_view": "redis",
  "co_purchase.related_by_purchase": "redis",
  "visual_index.images": "vector",
  "audit.changes": "postgres",
};

export class Shop {
  products = catalogue();
  byId = new Map(this.products.map((product) => [product.id, product]));
  bySku = new Map(
    this.products.flatMap((product) =>
      [
        product,
        ...product.variants.map((variant) => ({
          ...product,
          ...variant,
          id: product.id,
          price_cents: variant.price_cents ?? product.price_cents,
        })),
      ].map((unit) => [unit.sku, unit]),
    ),
  );
  stock = new Map([...this.bySku.values()].map((unit) => [unit.sku, { received: unit.available + 20, sold: 22, returned: 2 }]));
  sales = { lines: 0, orders: 0, cancellation_lines: 12, cents: 0, customers: new Set() };
  groups = { minute: new Map(), country: new Map(), category: new Map(), sku: new Map() };
  views = new Map(Object.keys(VIEWS).map((name) => [name, new Map()]));
  subscribers = new Map(Object.keys(VIEWS).map((name) => [name, new Set()]));
  viewed = new Map();
  looks = new Map();
  answers = new Map();
  epoch = 1;
  lsn = 24_000_000;

  constructor() {
    const now = Date.now();
    const countries = ["United Kingdom", "Germany", "France", "Netherlands", "Spain", "Norway", "USA", "Japan", "Italy", "Belgium"];
    for (let i = 0; i < 900; i++) {
      const product = this.products[(i * i + 7 * i) % this.products.length];
      const at = now - ((i * 7919) % 3600) * 1000 - (i % 3) * 26 * 3_600_000;
      this.#count({
        at,
        country: countries[Math.floor(((i * 37) % 100) ** 2 / 1000) % 10],
        customer: String(i % 211),
        items: [{ unit: product, quantity: 1 + (i % 4) }],
      });
      this.look(this.products[(i * i) % 31].sku);
    }
    this.#refresh();
  }

  available(sku) {
    const stock = this.stock.get(sku);
    return stock ? stock.received - stock.sold + stock.returned : 0;
  }

  meta(store) {
    return { store, epoch: this.epoch, age_ms: Math.round(Math.random() * 40), as_of: new Date().toISOString() };
  }

  position() {
    return `orders:${this.lsn}`;
  }

  look(sku) {
    this.looks.set(sku, (this.looks.get(sku) ?? 0) + 1);
  }

  order(key, body) {
    const known = this.answers.get(key);
    if (known) return known;
    for (const { sku, quantity } of body.items) {
      if (!this.bySku.has(sku)) throw new Problem(422, "unknown-sku", "Some SKUs cannot be ordered", `The catalogue does not hold ${sku}.`);
      if (this.available(sku) < quantity)
        throw new Problem(
          409,
          "out-of-stock",
          "There is not enough stock",
          `${quantity} of ${sku} were wanted, ${this.available(sku)} can be had.`,
        );
    }
    const items = body.items.map(({ sku, quantity }) => ({ unit: this.bySku.get(sku), quantity }));
    for (const { unit, quantity } of items) this.stock.get(unit.sku).sold += quantity;
    this.#count({ at: Date.now(), country: body.country, customer: randomUUID(), items });
    this.lsn += 4096;
    const answer = {
      id: randomUUID(),
      number: `C-${pad(this.sales.orders, 8)}`,
      status: "placed",
      currency: "GBP",
      total_cents: items.reduce((sum, { unit, quantity }) => sum + unit.price_cents * quantity, 0),
      items: items.map(({ unit, quantity }) => ({ sku: unit.sku, quantity, unit_price: pounds(unit.price_cents) })),
      position: this.position(),
    };
    this.answers.set(key, answer);
    this.#refresh();
    return answer;
  }

  #count({ at, country, customer, items }) {
    this.sales.orders++;
    this.sales.customers.add(customer);
    const add = (group, key, cents, units, orders) => {
      const row = this.groups[group].get(key) ?? { orders: 0, lines: 0, units: 0, cents: 0 };
      this.groups[group].set(key, {
        orders: row.orders + orders,
        lines: row.lines + 1,
        units: row.units + units,
        cents: row.cents + cents,
      });
    };
    for (const [line, { unit, quantity }] of items.entries()) {
      const cents = unit.price_cents * quantity;
      this.sales.lines++;
      this.sales.cents += cents;
      const first = line === 0 ? 1 : 0;
      add("minute", minuteOf(at), cents, quantity, first);
      add("country", country, cents, quantity, first);
      add("category", unit.category, cents, quantity, first);
      add("sku", unit.sku, cents, quantity, first);
    }
  }

  /** Makes every view anew and tells subscribers what has changed. */
  #refresh() {
    this.epoch++;
    const { lines, orders, cancellation_lines, cents, customers } = this.sales;
    const grouped = (group, column) =>
      [...this.groups[group]].map(([key, row]) => ({
        [column]: key,
        orders: row.orders,
        lines: row.lines,
        units: row.units,
        revenue: pounds(row.cents),
        average_basket: row.cents / 100 / row.orders,
      }));
    const top = [...this.groups.sku].sort((a, b) => b[1].cents - a[1].cents).slice(0, 20);
    const hour = `${new Date().toISOString().slice(0, 13)}:00:00Z`;
    const looks = [...this.looks].sort((a, b) => b[1] - a[1]);
    const trending = (category) =>
      looks
        .filter(([sku]) => category === "All" || this.bySku.get(sku)?.category === category)
        .slice(0, 10)
        .map(([sku, views], i) => ({ category, window_start: hour, rank: i + 1, sku, views }));
    this.#set("sales.totals", [
      { id: 1, lines, orders, skus: this.groups.sku.size, customers: customers.size, cancellation_lines, revenue: pounds(cents) },
    ]);
    this.#set("sales.by_minute", grouped("minute", "minute"));
    this.#set("sales.by_country", grouped("country", "country"));
    this.#set("sales.by_category", grouped("category", "category"));
    this.#set(
      "sales.top_products",
      top.map(([sku, row], i) => ({ rank: i + 1, sku, name: this.bySku.get(sku).name, units: row.units, revenue: pounds(row.cents) })),
    );
    this.#set(
      "inventory.low_stock",
      this.products
        .filter(({ sku }) => this.available(sku) <= 5)
        .map(({ sku, name }) => ({ sku, name, available: this.available(sku), threshold: 5 })),
    );
    this.#set("trending.trending", ["All", "Mugs", "Lamps"].flatMap(trending));
  }

  refreshAfterEvents() {
    this.#refresh();
  }

  #set(name, rows) {
    const before = this.views.get(name);
    const keyed = new Map(rows.map((row) => [JSON.stringify(VIEWS[name].map((column) => row[column])), row]));
    const upserts = [...keyed].filter(([key, row]) => JSON.stringify(before.get(key)) !== JSON.stringify(row)).map(([, row]) => row);
    const deletes = [...before]
      .filter(([key]) => !keyed.has(key))
      .map(([, row]) => Object.fromEntries(VIEWS[name].map((column) => [column, row[column]])));
    this.views.set(name, keyed);
    if (upserts.length + deletes.length === 0) return;
    for (const tell of this.subscribers.get(name)) tell("changes", { epoch: this.epoch, committed_ms: Date.now() - 30, upserts, deletes });
  }

  rows(name, limit, newest) {
    const sorted = [...this.views.get(name)].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, row]) => row);
    return (newest ? sorted.reverse() : sorted).slice(0, limit);
  }

  primaryKey(name) {
    return VIEWS[name];
  }

  /** Every store, with ages that move; `trouble` makes one late and one broken. */
  stores(trouble) {
    const all = { ...OTHER_STORES, ...Object.fromEntries(Object.keys(VIEWS).map((name) => [name, "view"])) };
    return Object.entries(all).map(([store, connector], i) => ({
      store,
      pipeline: store.split(".")[0],
      connector,
      sources: ["orders", "catalog"],
      epoch: this.epoch,
      frontier: { orders: trouble && i === 2 ? this.lsn - 900_000 : this.lsn, catalog: 1_000 },
      committed_ms: Date.now() - 300,
      applied_ms: Date.now() - 200,
      delay_ms: 18 + ((i * 17) % 60),
      age_ms: trouble && i === 2 ? 47_000 + Math.round(Math.random() * 900) : Math.round(Math.random() * (30 + 12 * i)),
      rows: 4_200 + 913 * i,
      rows_per_s: Math.round(Math.random() * 400) / 10,
      error: trouble && i === 4 ? "Redis at 127.0.0.1:6379 closed the connection; trying again in 2 s" : null,
    }));
  }
}
