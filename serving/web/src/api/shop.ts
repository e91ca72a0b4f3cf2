/** The public routes that shoppers use. */
import { address, getJson, send } from "./client";
import type { FeedProduct, Meta, Order, Product, RelatedProduct, SearchPage, ShopEvent, SimilarProduct, Sort, Stock } from "./types";

export interface SearchRequest {
  q: string;
  brand: string | null;
  category: string | null;
  /** In cents. */
  min_price: number | null;
  max_price: number | null;
  in_stock: boolean;
  sort: Sort;
  limit: number;
  offset: number;
}

export const search = (request: SearchRequest, signal?: AbortSignal): Promise<SearchPage> =>
  getJson(
    address("/search", {
      ...request,
      in_stock: request.in_stock ? "true" : null,
      sort: request.sort === "relevance" ? null : request.sort,
    }),
    { signal },
  );

/** A search for everything, to begin from. */
export const EVERYTHING: SearchRequest = {
  q: "",
  brand: null,
  category: null,
  min_price: null,
  max_price: null,
  in_stock: false,
  sort: "relevance",
  limit: 24,
  offset: 0,
};

/** The server passes over no more hits than this. */
export const DEEPEST_OFFSET = 10_000;

export const product = (id: string, signal?: AbortSignal): Promise<{ product: Product; meta: Meta }> =>
  getJson(address(`/products/${encodeURIComponent(id)}`), { signal });

export const related = (id: string, limit: number, signal?: AbortSignal): Promise<{ items: RelatedProduct[]; meta: Meta }> =>
  getJson(address(`/products/${encodeURIComponent(id)}/related`, { limit }), { signal });

export const feed = (session_id: string, limit: number, signal?: AbortSignal): Promise<{ items: FeedProduct[]; meta: Meta }> =>
  getJson(address("/feed", { session_id, limit }), { signal });

/** The stock of a unit, at least as new as the position `after`. */
export const stock = (sku: string, after?: string, signal?: AbortSignal): Promise<Stock> =>
  getJson(address(`/inventory/${encodeURIComponent(sku)}`, { after }), { signal });

export const visualSearch = (picture: Blob, limit: number, signal?: AbortSignal): Promise<{ hits: SimilarProduct[]; meta: Meta }> => {
  const form = new FormData();
  form.set("image", picture, "picture");
  return getJson(address("/visual-search", { limit }), { method: "POST", body: form, signal });
};

export interface OrderRequest {
  country: string;
  items: { sku: string; quantity: number }[];
}

/** Places an order. The same `idempotencyKey` sent twice is one order. */
export const placeOrder = (order: OrderRequest, idempotencyKey: string): Promise<Order> =>
  getJson(address("/orders"), {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
    body: JSON.stringify(order),
  });

export const sendEvents = async (events: ShopEvent[]): Promise<void> => {
  await send(address("/events"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ events }),
  });
};

export async function picture(imageUrl: string, signal?: AbortSignal): Promise<Blob> {
  const response = await send(imageUrl, { signal, headers: { accept: "image/*" } });
  return response.blob();
}
