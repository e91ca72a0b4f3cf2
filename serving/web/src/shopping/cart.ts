/** React's side of the cart: one copy, which every change that is answered replaces. */
import { keepPreviousData, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import * as api from "../api/cart";
import { Problem } from "../api/problem";
import type { Cart, CartItem, Destination, ShippingMethod } from "../api/schema";
import { uuid } from "../lib/id";
import { track } from "../lib/track";
import { MINE } from "./session";

const KEY = [MINE, "cart"];
/** Changes of the cart go one after the other: two first articles at once would make two carts. */
const SCOPE = { id: "cart" };

export const useCart = () =>
  useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.cart(signal), refetchOnWindowFocus: true, staleTime: 2_000 });

async function keep(client: QueryClient, cart: Cart): Promise<void> {
  await client.cancelQueries({ queryKey: KEY });
  client.setQueryData<Cart>(KEY, (before) => api.newer(before, cart));
}

/** Puts units into the cart. Without an answer it is sent again, under the same key: it is added once. */
export function useAddToCart() {
  const client = useQueryClient();
  const mutation = useMutation({
    scope: SCOPE,
    mutationFn: api.add,
    retry: (failures, error) => failures < 2 && error instanceof Problem && error.transient,
    onSuccess: (cart, { sku }) => {
      track("add_to_cart", { sku });
      return keep(client, cart);
    },
  });
  return { ...mutation, add: (sku: string, quantity: number) => mutation.mutate({ sku, quantity, key: uuid() }) };
}

/** `quantity` 0 takes the article out. */
export function useChangeCart() {
  const client = useQueryClient();
  return useMutation({
    scope: SCOPE,
    mutationFn: ({ sku, quantity }: { sku: string; quantity: number }) => (quantity > 0 ? api.set(sku, quantity) : api.remove(sku)),
    onSuccess: (cart) => keep(client, cart),
    // Another tab may have taken it out.
    onError: () => client.invalidateQueries({ queryKey: KEY }),
  });
}

/** What was bought has left the cart. */
export const forgetCart = (client: QueryClient): Promise<void> => client.invalidateQueries({ queryKey: KEY });

export interface QuoteWish {
  cart: Cart | undefined;
  coupons: readonly string[];
  destination: Destination;
  method: ShippingMethod;
}

/** What is offered, in one currency: the rest has no price. */
const priced = ({ obstacle }: CartItem): boolean => obstacle !== "not_offered" && obstacle !== "other_currency";

/** What the cart would cost, delivered; the one before stays in sight while it is worked out. */
export function useQuote({ cart, coupons, destination, method }: QuoteWish) {
  const items = (cart?.items ?? []).filter(priced).map(({ sku, quantity }) => ({ sku, quantity }));
  return useQuery({
    queryKey: [MINE, "quote", items, coupons, destination, method],
    queryFn: ({ signal }) => api.quote({ items, coupons: [...coupons], destination, shipping_method: method }, signal),
    enabled: items.length > 0,
    placeholderData: keepPreviousData,
  });
}
