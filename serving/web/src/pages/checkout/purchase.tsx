import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { purchase as loadPurchase } from "../../api/checkout";
import { isProblem } from "../../api/problem";
import type { Order } from "../../api/schema";
import { stock } from "../../api/shop";
import { cents } from "../../lib/format";
import { track } from "../../lib/track";
import { Link, orderPath } from "../../router";
import { forgetCart } from "../../shopping/cart";
import { MINE, useSignedIn } from "../../shopping/session";
import { CheckIcon } from "../../ui/icons";
import { AddressLines } from "../../ui/address-fields";
import { ProblemNote } from "../../ui/problem-note";
import { OrderLines } from "../account/order-lines";

const AGAIN_MS = 1_000;

/** What became of a purchase: asked for until it is decided. */
export default function Purchase({ id }: { id: string }) {
  const purchase = useQuery({
    queryKey: [MINE, "purchase", id],
    queryFn: ({ signal }) => loadPurchase(id, signal),
    refetchInterval: ({ state }) => (state.data?.status === "pending" && !state.error ? AGAIN_MS : false),
  });
  const { data, error } = purchase;
  useBought(data?.order ?? null, data?.position ?? null);
  if (error) {
    return (
      <ProblemNote error={error} {...(isProblem(error, "checkout-not-found") ? {} : { onRetry: () => void purchase.refetch() })}>
        {isProblem(error, "payment-declined", "payment-refused", "out-of-stock", "checkout-expired") ? (
          <p>
            What you wanted is still in the cart. <Link to="/checkout">Go back to the checkout</Link> and pay in another way.
          </p>
        ) : null}
      </ProblemNote>
    );
  }
  if (data?.status !== "completed") {
    return (
      <section className="note note-centred" role="status" data-testid="purchase-pending">
        <h1>The payment is being decided</h1>
        <p>What you buy is held for you meanwhile. This page goes on by itself.</p>
        <p className="bone bone-short" />
      </section>
    );
  }
  return data.order ? <Done order={data.order} /> : null;
}

/** Tells the shop of the sale, and reads the stock of what was bought at the order's own position: never an older one. */
function useBought(order: Order | null, position: string | null) {
  const client = useQueryClient();
  const id = order?.id;
  useEffect(() => {
    if (!order || !position) return;
    void forgetCart(client);
    for (const { sku } of order.items) {
      void client.prefetchQuery({
        queryKey: ["stock", sku],
        queryFn: ({ signal }) => stock(sku, position, signal),
        staleTime: 0,
        retry: false,
      });
    }
    if (isNew(order.id)) order.items.forEach(({ sku }) => track("purchase", { sku }));
    // By the id alone: the same order may be read again.
  }, [id]);
}

/** Whether this tab has not shown this order yet: a reload is no second sale. */
function isNew(id: string): boolean {
  const key = "chimera.told";
  const told = (sessionStorage.getItem(key) ?? "").split(" ");
  if (told.includes(id)) return false;
  sessionStorage.setItem(key, [...told.slice(-20), id].join(" ").trim());
  return true;
}

function Done({ order }: { order: Order }) {
  const signedIn = useSignedIn();
  return (
    <section className="done" data-testid="order-placed">
      <div className="note note-success">
        <CheckIcon />
        <div>
          <h1>Thank you. It is yours.</h1>
          <p>
            Order <strong data-testid="order-number">{order.number}</strong>
            {typeof order.total_cents === "number" ? `, ${cents(order.total_cents, order.currency)}` : null}
            {order.email ? `. The confirmation goes to ${order.email}.` : "."}
          </p>
        </div>
      </div>
      <OrderLines order={order} />
      {order.shipping_address ? (
        <>
          <h2>Delivered to</h2>
          <AddressLines address={order.shipping_address} />
        </>
      ) : null}
      <p className="actions">
        {signedIn ? (
          <Link className="button button-quiet" to={orderPath(order.id)}>
            See the order
          </Link>
        ) : null}
        <Link className="button" to="/">
          Go on shopping
        </Link>
      </p>
    </section>
  );
}
