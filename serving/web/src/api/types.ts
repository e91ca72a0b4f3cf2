/** What the pages need to call by a name, and the OpenAPI document does not. Decimals arrive as strings, so that no digit is lost. */
import type { NewEvent } from "./schema";

export type Sort = "relevance" | "price_asc" | "price_desc" | "popularity";

export type EventType = "view" | "click" | "add_to_cart" | "search" | "purchase";

/** An event as the pages make it: under an id of its own, with the time at which it happened. */
export type ShopEvent = NewEvent & { type: EventType; event_id: string; occurred_at: string };

/** A row of a live view: column name to value. */
export type Row = Record<string, unknown>;
