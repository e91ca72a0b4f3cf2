/** What the tests ask the server directly, to compare with what the pages show. */
import { randomUUID } from "node:crypto";

/** Stores that the checks cannot do without. */
const NEEDED = ["search_index.products", "search_index.product_documents", "visual_index.images", "inventory.stock", "sales.totals"];

export class Api {
  constructor(base, token) {
    this.base = base;
    this.token = token;
  }

  async get(path, headers = {}) {
    const response = await fetch(`${this.base}/api/v1${path}`, { headers });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  operator(path) {
    return this.get(path, { authorization: `Bearer ${this.token}` });
  }

  async post(path, body, headers = {}) {
    const response = await fetch(`${this.base}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** As who runs the server. */
  operate(path, body, headers = {}) {
    return this.post(path, body, { authorization: `Bearer ${this.token}`, ...headers });
  }

  /** An order that is paid elsewhere. */
  order(sku, quantity) {
    return this.operate("/orders", { country: "United Kingdom", items: [{ sku, quantity }] }, { "idempotency-key": randomUUID() });
  }

  async picture(imageUrl) {
    const response = await fetch(this.base + imageUrl);
    if (!response.ok) throw new Error(`GET ${imageUrl} answered ${response.status}`);
    return { mimeType: response.headers.get("content-type"), buffer: Buffer.from(await response.arrayBuffer()) };
  }

  /** Waits until the shop that has just been started is read in: every store is there, and nothing waits for long. */
  async settled() {
    await until(
      "all stores have caught up and the search finds products",
      async () => {
        const { stores } = await this.operator("/stores").catch(() => ({ stores: [] }));
        const { total } = await this.get("/search?limit=1").catch(() => ({ total: 0 }));
        return (
          total > 0 &&
          stores.length > 0 &&
          stores.every(({ store, age_ms, epoch }) => age_ms < 2_000 && (epoch > 0 || !NEEDED.includes(store)))
        );
      },
      120_000,
    );
  }

  /** Products with a picture and enough stock to buy from. */
  async products() {
    const { hits } = await this.get("/search?limit=100&sort=popularity");
    const fit = hits.filter(({ image_url, available }) => image_url && available >= 5);
    if (fit.length < 3)
      throw new Error(`the shop has ${fit.length} products with picture and stock among its ${hits.length} most popular; 3 are needed`);
    return fit;
  }

  /** The first of `products` that has related ones; where none has, some sessions look at two of them together. */
  async withRelated(products) {
    const first = async () => {
      for (const product of products.slice(0, 40)) {
        const { items } = await this.get(`/products/${product.id}/related?limit=4`);
        if (items.length > 0) return product;
      }
      return null;
    };
    const found = await first();
    if (found) return found;
    const [a, b] = products;
    const events = Array.from({ length: 8 }, () => randomUUID()).flatMap((session_id) =>
      [a, b].map(({ sku }) => ({ type: "view", session_id, sku })),
    );
    await this.post("/events", { events });
    return until("two products viewed together are related", first, 20_000);
  }
}

/** Waits until `probe` gives something; says what was waited for when it does not. */
export async function until(what, probe, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A word with one wrong letter in its middle. */
export function misspell(word) {
  const at = Math.floor(word.length / 2);
  const wrong = word[at] === "x" ? "k" : "x";
  return word.slice(0, at) + wrong + word.slice(at + 1);
}

/** The longest plain word of a name, or null where all are short. */
export function longWord(name) {
  const words = (name.match(/\p{L}+/gu) ?? []).filter((word) => word.length >= 6);
  return words.sort((a, b) => b.length - a.length)[0]?.toLowerCase() ?? null;
}
