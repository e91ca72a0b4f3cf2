import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { buy } from "../../api/checkout";
import { isProblem } from "../../api/problem";
import type { NewCheckout } from "../../api/schema";
import { uuid } from "../../lib/id";
import { intentions, isUndecided, type Intention } from "../../lib/intention";
import { navigate, purchasePath } from "../../router";
import { forgetCart } from "../../shopping/cart";
import { choices } from "../../shopping/choices";
import { MINE } from "../../shopping/session";

/** What is bought: the cart as it was seen, which the request does not name. */
export interface Wanted {
  cart: string;
  request: NewCheckout;
}

/**
 * Buys. One key for one purchase: after a lost answer the same is sent again, and is bought once. What was refused is over, and the next attempt
 * is a purchase of its own.
 */
export function usePurchase() {
  const client = useQueryClient();
  const [attempts] = useState(() => intentions<Wanted>(uuid));
  const last = useRef<Wanted | null>(null);
  const mutation = useMutation({
    mutationFn: ({ wanted, key }: Intention<Wanted>) => buy(wanted.request, key),
    onSuccess: async ({ id }) => {
      attempts.settle();
      choices.set({ ...choices.get(), coupons: [] });
      navigate(purchasePath(id));
      await forgetCart(client);
    },
    onError: async (error) => {
      attempts.settle(error);
      if (isProblem(error, "price-changed", "coupon-rejected", "promotion-used-up"))
        await client.invalidateQueries({ queryKey: [MINE, "quote"] });
      if (isProblem(error, "out-of-stock", "cart-empty", "unknown-sku")) await forgetCart(client);
    },
  });
  const send = (wanted: Wanted) => {
    last.current = wanted;
    mutation.mutate(attempts.of(wanted));
  };
  return {
    buy: send,
    /** Sends once more what nobody knows the outcome of. */
    again: () => last.current && send(last.current),
    isPending: mutation.isPending,
    error: mutation.error,
    /** Whether it may have been bought although no answer says so: then nothing is changed before it is known. */
    isUndecided: mutation.isError && isUndecided(mutation.error),
  };
}
