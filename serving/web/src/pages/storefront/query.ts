/** The search as the address carries it: `/?q=mug&brand=Nord&min=5&max=20&sort=price_asc`. */
import type { Sort } from "../../api/types";

export interface ShopQuery {
  q: string;
  brand: string | null;
  category: string | null;
  /** Whole pounds, as people type them. */
  min: number | null;
  max: number | null;
  /** Only what can be had now. */
  stocked: boolean;
  sort: Sort;
  /** Id of the product to whose picture similar ones are wanted. */
  similar: string | null;
}

export const NOTHING: ShopQuery = {
  q: "",
  brand: null,
  category: null,
  min: null,
  max: null,
  stocked: false,
  sort: "relevance",
  similar: null,
};
const SORTS: readonly Sort[] = ["relevance", "price_asc", "price_desc", "popularity"];

function pounds(text: string | null): number | null {
  if (text === null || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/** Reads what it can; what makes no sense counts as not given. */
export function fromParams(params: URLSearchParams): ShopQuery {
  const sort = SORTS.find((known) => known === params.get("sort"));
  return {
    q: params.get("q") ?? "",
    brand: params.get("brand") || null,
    category: params.get("category") || null,
    min: pounds(params.get("min")),
    max: pounds(params.get("max")),
    stocked: params.get("stock") === "1",
    sort: sort ?? "relevance",
    similar: params.get("similar") || null,
  };
}

export function toPath(query: ShopQuery): string {
  const params = new URLSearchParams();
  if (query.q) params.set("q", query.q);
  if (query.brand) params.set("brand", query.brand);
  if (query.category) params.set("category", query.category);
  if (query.min !== null) params.set("min", String(query.min));
  if (query.max !== null) params.set("max", String(query.max));
  if (query.stocked) params.set("stock", "1");
  if (query.sort !== "relevance") params.set("sort", query.sort);
  if (query.similar) params.set("similar", query.similar);
  const text = params.toString();
  return text ? `/?${text}` : "/";
}

/** Whether anything is asked for; otherwise the feed is shown. */
export function isSearch(query: ShopQuery): boolean {
  return query.q.trim() !== "" || query.sort !== "relevance" || isFiltered(query);
}

export function isFiltered({ brand, category, min, max, stocked }: ShopQuery): boolean {
  return brand !== null || category !== null || min !== null || max !== null || stocked;
}
