/**
 * A test double of the HTTP API over made-up products, for work on the pages and for their tests alone:
 *
 *     node tests/mock-server.mjs [--port 8080] [--token operator] [--trouble]
 *
 * Serves the built pages (dist/) under the strictest content policy. `--trouble` shows one store behind and one in error.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { search } from "./mock/search.mjs";
import { buying } from "./mock/buying.mjs";
import { features } from "./mock/png.mjs";
import { Accounts } from "./mock/accounts.mjs";
import { Problem } from "./mock/problem.mjs";
import { Purchases } from "./mock/purchases.mjs";
import { Shop } from "./mock/shop.mjs";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
/** The document that the server makes of its routes. */
const DOCUMENT = fileURLToPath(new URL("../../openapi.json", import.meta.url));
const TYPES = {
  ".json": "application/json",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const LARGEST_BODY_BYTES = 8 * 1024 * 1024;

/** Starts the server; `close()` ends it with all of its streams. */
export async function start({ port = 0, token = "operator", trouble = false } = {}) {
  const shop = new Shop();
  const accounts = new Accounts();
  const purchases = new Purchases(shop);
  const server = createServer((request, response) => {
    answer({ shop, accounts, purchases, token, trouble, request, response }).catch((error) => {
      const problem = error instanceof Problem ? error : new Problem(500, "internal", "The server failed", String(error.stack ?? error));
      if (response.headersSent) return response.end();
      const { status, name, title, detail, members } = problem;
      response.writeHead(status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ type: `/problems/${name}`, title, status, detail, ...members }));
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    token,
    accounts,
    /** Cuts every connection; new ones are taken. */
    cut: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const shown = ({ picture: _picture, features: _features, ...product }, shop) => ({ ...product, available: shop.available(product.sku) });

async function answer(context) {
  const { shop, request, response } = context;
  const url = new URL(request.url, "http://mock");
  const parameters = Object.fromEntries(url.searchParams);
  const [, api, v1, ...parts] = url.pathname.split("/").map(decodeURIComponent);
  if (api !== "api" || v1 !== "v1") return page(url.pathname, response);
  const json = (body, status = 200, headers = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === null ? undefined : JSON.stringify(body));
  };
  if (await buying(context, parts, body, json)) return;
  const [noun, id, verb] = parts;
  const route = `${request.method} ${noun}${id === undefined ? "" : "/*"}${verb === undefined ? "" : `/${verb}`}`;
  switch (route) {
    case "GET search":
      allow(parameters, ["q", "brand", "category", "min_price", "max_price", "in_stock", "sort", "limit", "offset"]);
      if (parameters.q === "break")
        throw new Problem(503, "unavailable", "Something that this needs cannot be reached", "The index is away.");
      return json(
        withShown(
          search(
            shop.products.map((product) => ({ ...product, available: shop.available(product.sku) })),
            parameters,
          ),
          "hits",
          shop,
          "search_index.products",
        ),
      );
    case "GET products/*":
      return json({ product: shown(find(shop, id), shop), meta: shop.meta("search_index.product_documents") });
    case "GET products/*/related": {
      const product = find(shop, id);
      const items = shop.products.filter(
        (other) => other !== product && (other.name.split(" ")[0] === product.name.split(" ")[0] || other.category === product.category),
      );
      const scored = items
        .slice(0, Number(parameters.limit ?? 10))
        .map((item, i) => ({ ...item, score: 30 - i, reason: i % 3 === 0 ? "bought_together" : "viewed_together" }));
      return json(withShown({ items: scored }, "items", shop, "co_view.related_by_view"));
    }
    case "GET images/*": {
      const product = shop.products.find(({ image_url }) => image_url?.endsWith(id));
      if (!product) throw new Problem(404, "image-not-found", "There is no such picture", `No picture has the id ${id}.`);
      response.writeHead(200, { "content-type": "image/png", "cache-control": "public, max-age=86400" });
      return response.end(product.picture);
    }
    case "GET feed":
      return json(withShown({ items: feed(shop, parameters) }, "items", shop, "trending.trending"));
    case "POST visual-search":
      return json(
        withShown({ hits: similar(shop, await body(request), Number(parameters.limit ?? 20)) }, "hits", shop, "visual_index.images"),
      );
    case "GET inventory/*": {
      const stock = shop.stock.get(id);
      if (!stock) throw new Problem(404, "sku-not-found", "There is no stock record of this SKU", `Nothing is known of ${id}.`);
      return json({ sku: id, ...stock, available: shop.available(id), meta: shop.meta("inventory.stock") });
    }
    case "POST orders": {
      if (!isOperator(context)) throw new Problem(403, "forbidden", "This is not yours to do", "For programs of the shop's.");
      const key = request.headers["idempotency-key"];
      if (!key) throw new Problem(400, "idempotency-key-needed", "An order needs an Idempotency-Key", "The header is missing.");
      const order = shop.order(key, JSON.parse(await body(request)));
      return json(order, 201, { "chimera-position": order.position });
    }
    case "POST events":
      return json(accept(shop, JSON.parse(await body(request))), 202);
    default:
      return operator(context, route, id, parameters, json);
  }
}

const isOperator = ({ token, request }) => request.headers.authorization === `Bearer ${token}`;

function operator({ shop, token, trouble, request, response }, route, id, parameters, json) {
  if (request.headers.authorization !== `Bearer ${token}`) {
    throw new Problem(401, "unauthenticated", "It is not known who sends this", "The token is not the operator token of this server.");
  }
  if (route.startsWith("GET views/*") && !shop.views.has(id))
    throw new Problem(404, "view-not-found", "There is no such view", `There is no live view ${id}.`);
  switch (route) {
    case "GET stores":
      return json({ stores: shop.stores(trouble) });
    case "GET stores/*": {
      const tell = stream(response);
      tell("stores", { stores: shop.stores(trouble) });
      const timer = setInterval(() => tell("stores", { stores: shop.stores(trouble) }), 1000);
      return response.on("close", () => clearInterval(timer));
    }
    case "GET views/*":
      allow(parameters, ["limit", "order"]);
      return json({
        view: id,
        columns: [],
        primary_key: shop.primaryKey(id),
        rows: shop.rows(id, Number(parameters.limit ?? 100), parameters.order === "desc"),
        meta: shop.meta(id),
      });
    case "GET views/*/stream": {
      allow(parameters, ["limit"]);
      const tell = stream(response);
      tell("snapshot", { epoch: shop.epoch, rows: shop.rows(id, Number(parameters.limit ?? 1000), false), truncated: false });
      shop.subscribers.get(id).add(tell);
      return response.on("close", () => shop.subscribers.get(id).delete(tell));
    }
    default:
      throw new Problem(404, "not-found", "There is nothing at this address", `No route is ${route}.`);
  }
}

function allow(parameters, names) {
  for (const name of Object.keys(parameters)) {
    if (!names.includes(name) && name !== "after" && name !== "wait_ms")
      throw new Problem(400, "bad-parameter", "A parameter is wrong", `The query: unknown field \`${name}\`.`);
  }
}

function find(shop, id) {
  const product = shop.byId.get(id);
  if (!product) throw new Problem(404, "product-not-found", "There is no such product", `No active product has the id ${id}.`);
  return product;
}

const withShown = (page, field, shop, store) => ({
  ...page,
  [field]: page[field].map((product) => shown(product, shop)),
  meta: shop.meta(store),
});

function feed(shop, { session_id, limit = 20 }) {
  const seen = [...(shop.viewed.get(session_id) ?? [])].reverse();
  const because = seen.flatMap((sku) =>
    shop.products.filter((product) => product.category === shop.bySku.get(sku)?.category && !seen.includes(product.sku)).slice(0, 6),
  );
  const byPopularity = [...shop.products].sort((a, b) => b.popularity - a.popularity);
  const picked = new Map();
  const add = (products, reason, most) =>
    products
      .filter(({ id }) => !picked.has(id))
      .slice(0, most)
      .forEach((product) => picked.set(product.id, { ...product, reason }));
  add(because, "because_you_viewed", 8);
  add(
    [...shop.looks].sort((a, b) => b[1] - a[1]).map(([sku]) => shop.bySku.get(sku)),
    "trending",
    10,
  );
  add(byPopularity, "popular", Number(limit));
  return [...picked.values()].slice(0, Number(limit));
}

function similar(shop, bytes, limit) {
  const start = bytes.indexOf(Buffer.from([137, 80, 78, 71]));
  const wanted = start < 0 ? null : features(bytes.subarray(start));
  if (!wanted)
    throw new Problem(422, "bad-picture", "The picture cannot be read", "The bytes are not a picture that this server can read.");
  return shop.products
    .filter((product) => product.features)
    .map((product) => ({
      ...product,
      similarity: Math.max(
        0,
        product.features.reduce((sum, value, i) => sum + value * wanted[i], 0),
      ),
    }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, limit);
}

const EVENT_FIELDS = ["event_id", "type", "session_id", "sku", "query", "occurred_at", "customer_id"];

function accept(shop, { events }) {
  const bad = events.findIndex(
    (event) =>
      !event.session_id ||
      (event.type === "search" ? !event.query : !event.sku) ||
      Object.keys(event).some((field) => !EVENT_FIELDS.includes(field)),
  );
  if (bad >= 0) throw new Problem(422, "invalid-body", "The body is not what this address takes", `Event ${bad} is wrong.`);
  for (const { type, session_id, sku } of events) {
    if (type !== "view" || !shop.bySku.has(sku)) continue;
    shop.viewed.set(session_id, new Set([...(shop.viewed.get(session_id) ?? []), sku]));
    shop.look(sku);
  }
  shop.refreshAfterEvents();
  return { accepted: events.length, position: `clickstream:${shop.epoch}` };
}

function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  return (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

async function body(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > LARGEST_BODY_BYTES) throw new Problem(413, "body-too-large", "The body is too large", "At most 8 MiB are taken.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function page(path, response) {
  const asset = path.startsWith("/assets/") || path === "/favicon.svg";
  const docs = path === "/docs";
  const file = path === "/openapi.json" ? DOCUMENT : join(DIST, asset ? normalize(path) : docs ? "docs.html" : "index.html");
  try {
    const content = await readFile(file);
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      // Swagger UI draws its arrows from data: addresses.
      "content-security-policy": `default-src 'self'; frame-ancestors 'none'; base-uri 'none'${docs ? "; img-src 'self' data:; style-src 'self' 'unsafe-inline'" : ""}`,
    });
    response.end(content);
  } catch {
    throw new Problem(
      404,
      "not-found",
      "There is nothing at this address",
      `There is nothing at ${path}. \`npm run build\` makes the pages.`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      token: { type: "string", default: "operator" },
      trouble: { type: "boolean", default: false },
    },
  });
  const { base, token } = await start({ port: Number(values.port), token: values.token, trouble: values.trouble });
  console.log(`${base}/\n${base}/dashboard#token=${token}`);
}
