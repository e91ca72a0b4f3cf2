/** Purchases, and the orders that they become. */
import { answer, rest } from "./rest";
import type { CheckoutResponse, NewCheckout, NewReturn, Order, Orders } from "./schema";

/** Buys what is in the cart. Sent again under the same key it is the same purchase. */
export const buy = (wanted: NewCheckout, key: string): Promise<CheckoutResponse> =>
  answer(rest.POST("/api/v1/checkout", { params: { header: { "idempotency-key": key } }, body: wanted }));

/** How far a purchase is; one that came to nothing is the problem that it met. */
export const purchase = (id: string, signal?: AbortSignal): Promise<CheckoutResponse> =>
  answer(rest.GET("/api/v1/checkout/{id}", { params: { path: { id } }, ...(signal ? { signal } : {}) }));

export const orders = (before: string | null, signal?: AbortSignal): Promise<Orders> =>
  answer(rest.GET("/api/v1/orders", { params: { query: { limit: 20, ...(before ? { before } : {}) } }, ...(signal ? { signal } : {}) }));

export const order = (id: string, signal?: AbortSignal): Promise<Order> =>
  answer(rest.GET("/api/v1/orders/{id}", { params: { path: { id } }, ...(signal ? { signal } : {}) }));

export const cancel = (id: string, reason: string | null): Promise<Order> =>
  answer(rest.POST("/api/v1/orders/{id}/cancel", { params: { path: { id } }, body: reason ? { reason } : {} }));

export const sendBack = (id: string, wanted: NewReturn, key: string): Promise<Order> =>
  answer(rest.POST("/api/v1/orders/{id}/returns", { params: { path: { id }, header: { "idempotency-key": key } }, body: wanted }));
