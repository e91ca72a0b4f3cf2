/** The shopper's cart: of their account, or a guest's. */
import { guestCart } from "./guest-cart";
import { isProblem } from "./problem";
import { answer, rest } from "./rest";
import type { Cart, Quote, QuoteRequest } from "./schema";
import { session } from "./session";

const NOTHING: Cart = { id: null, version: 0, items: [], total_items: 0, subtotal_cents: 0, currency: null, is_ready: false };

/** Whoever has logged in takes along what they had put in as a guest: log-ins do it, and this makes up for one that could not. */
export async function cart(signal?: AbortSignal): Promise<Cart> {
  const guest_token = guestCart.token();
  if (!session.isOpen() && !guest_token) return NOTHING;
  if (session.isOpen() && guest_token) {
    const merged = await merge(guest_token);
    if (merged) return merged;
  }
  return answer(rest.GET("/api/v1/cart", signal ? { signal } : {}));
}

async function merge(guest_token: string): Promise<Cart | null> {
  try {
    const merged = await answer(rest.POST("/api/v1/cart/merge", { body: { guest_token } }));
    guestCart.forget();
    return merged;
  } catch (error) {
    // It is no token: there is nothing to take along.
    if (isProblem(error, "invalid-body")) guestCart.forget();
    else if (!isProblem(error, "unauthenticated")) throw error;
    return null;
  }
}

/** `key`: the same when this is sent again, so that it is added once. */
export async function add({ sku, quantity, key }: { sku: string; quantity: number; key: string }): Promise<Cart> {
  const params = { header: { "idempotency-key": key } };
  const changed = await answer(rest.POST("/api/v1/cart/items", { params, body: { sku, quantity } }));
  if (changed.guest_token) guestCart.keep(changed.guest_token);
  return changed;
}

export const set = (sku: string, quantity: number): Promise<Cart> =>
  answer(rest.PUT("/api/v1/cart/items/{sku}", { params: { path: { sku } }, body: { quantity } }));

export const remove = (sku: string): Promise<Cart> => answer(rest.DELETE("/api/v1/cart/items/{sku}", { params: { path: { sku } } }));

/** What it would cost now; nothing is kept or promised. */
export const quote = (wanted: QuoteRequest, signal?: AbortSignal): Promise<Quote> =>
  answer(rest.POST("/api/v1/pricing/quote", { body: wanted, ...(signal ? { signal } : {}) }));

/** A cart is replaced by a later one only: answers may overtake one another. */
export function newer(before: Cart | undefined, after: Cart): Cart {
  return before && before.id === after.id && before.version > after.version ? before : after;
}
