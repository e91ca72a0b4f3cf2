/** The shapes of the REST API. Decimals arrive as strings, so that no digit is lost; times are RFC 3339 in UTC. */

/** How fresh an answer of a derived store is. */
export interface Meta {
  store: string;
  epoch: number;
  age_ms: number;
  as_of: string;
}

export interface Variant {
  sku: string;
  attributes: Record<string, unknown>;
  /** Null where the variant costs what the product costs. */
  price_cents: number | null;
}

export interface Product {
  id: string;
  sku: string;
  name: string;
  description: string | null;
  brand: string | null;
  category: string | null;
  price_cents: number;
  currency: string;
  available: number;
  popularity: number;
  variants: Variant[];
  image_url: string | null;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface SearchPage {
  total: number;
  hits: (Product & { score: number })[];
  facets: { brand?: FacetValue[]; category?: FacetValue[] };
  /** Nothing has all the words as typed: corrected ones, or some of the words, had to do. */
  relaxed?: boolean;
  meta: Meta;
}

export type Sort = "relevance" | "price_asc" | "price_desc" | "popularity";

export type RelatedProduct = Product & { score: number; reason: "bought_together" | "viewed_together" };
export type FeedProduct = Product & { reason: "because_you_viewed" | "trending" | "popular" };
export type SimilarProduct = Product & { similarity: number };

export interface Stock {
  sku: string;
  received: number;
  sold: number;
  returned: number;
  available: number;
  meta: Meta;
}

export interface Order {
  id: string;
  number: string;
  status: string;
  currency: string;
  total_cents: number;
  items: { sku: string; quantity: number; unit_price: string }[];
  position: string;
}

export type EventType = "view" | "click" | "add_to_cart" | "search" | "purchase";

export interface ShopEvent {
  event_id: string;
  type: EventType;
  session_id: string;
  sku?: string;
  query?: string;
  occurred_at: string;
}

/** A row of a live view: column name to value. */
export type Row = Record<string, unknown>;

export interface ViewPage {
  view: string;
  columns: { name: string; type: string }[];
  primary_key: string[];
  rows: Row[];
  meta: Meta;
}

/** Where a derived store stands. `frontier` is the position it has reached in each source. */
export interface StoreStatus {
  store: string;
  pipeline: string;
  connector: string;
  sources: string[];
  epoch: number;
  frontier: Record<string, number>;
  /** Commit time of the newest change in it, ms since 1970; 0 before the first. */
  committed_ms: number;
  applied_ms: number;
  /** From that commit to the moment it could be read. */
  delay_ms: number;
  /** Time since the commit of the oldest change that cannot be read yet; 0 when nothing waits. */
  age_ms: number;
  /** Changes applied since the start. */
  rows: number;
  rows_per_s: number;
  error: string | null;
}
