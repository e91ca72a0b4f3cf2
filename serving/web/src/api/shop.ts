/** What the shop shows to everybody. */
import { isProblem } from "./problem";
import { answer, plain, rest } from "./rest";
import type {
  FeedResponse,
  NewEvent,
  Product,
  ProductResponse,
  RelatedResponse,
  SearchResults,
  StockResponse,
  VisualResults,
} from "./schema";
import { send } from "./send";
import type { Sort } from "./types";

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

export const search = (
  { q, brand, category, min_price, max_price, in_stock, sort, ...page }: SearchRequest,
  signal?: AbortSignal,
): Promise<SearchResults> =>
  answer(
    plain.GET("/api/v1/search", {
      params: {
        query: {
          ...page,
          ...(q ? { q } : {}),
          ...(brand === null ? {} : { brand }),
          ...(category === null ? {} : { category }),
          ...(min_price === null ? {} : { min_price }),
          ...(max_price === null ? {} : { max_price }),
          ...(in_stock ? { in_stock } : {}),
          ...(sort === "relevance" ? {} : { sort }),
        },
      },
      ...given(signal),
    }),
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

export const product = (id: string, signal?: AbortSignal): Promise<ProductResponse> =>
  answer(plain.GET("/api/v1/products/{id}", { params: { path: { id } }, ...given(signal) }));

export const related = (id: string, limit: number, signal?: AbortSignal): Promise<RelatedResponse> =>
  answer(plain.GET("/api/v1/products/{id}/related", { params: { path: { id }, query: { limit } }, ...given(signal) }));

export const feed = (session_id: string, limit: number, signal?: AbortSignal): Promise<FeedResponse> =>
  answer(plain.GET("/api/v1/feed", { params: { query: { session_id, limit } }, ...given(signal) }));

/** The stock of a unit, at least as new as the position `after`. */
export const stock = (sku: string, after?: string, signal?: AbortSignal): Promise<StockResponse> =>
  answer(plain.GET("/api/v1/inventory/{sku}", { params: { path: { sku }, query: after ? { after } : {} }, ...given(signal) }));

export const visualSearch = (picture: Blob, limit: number, signal?: AbortSignal): Promise<VisualResults> => {
  const form = new FormData();
  form.set("image", picture, "picture");
  return answer(
    plain.POST("/api/v1/visual-search", {
      params: { query: { limit } },
      // The description knows the field as text; what goes over the wire is the file.
      body: { image: "" },
      bodySerializer: () => form,
      ...given(signal),
    }),
  );
};

/** As whoever has logged in, so that the shop knows them. A session that was ended elsewhere is no reason to lose what was done. */
export const sendEvents = async (events: NewEvent[]): Promise<void> => {
  try {
    await rest.POST("/api/v1/events", { body: { events } });
  } catch (error) {
    if (!isProblem(error, "unauthenticated")) throw error;
    await plain.POST("/api/v1/events", { body: { events } });
  }
};

export async function picture(imageUrl: string, signal?: AbortSignal): Promise<Blob> {
  const response = await send(imageUrl, { signal, headers: { accept: "image/*" } });
  return response.blob();
}

const given = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

export type { Product };
