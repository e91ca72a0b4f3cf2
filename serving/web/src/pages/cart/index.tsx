import { useCart, useQuote } from "../../shopping/cart";
import { choices } from "../../shopping/choices";
import { COUNTRIES } from "../../shopping/countries";
import { useStored } from "../../lib/stored";
import { count } from "../../lib/format";
import { Link } from "../../router";
import { ProblemNote } from "../../ui/problem-note";
import { Coupons } from "./coupons";
import { Lines } from "./lines";
import { Totals } from "./totals";

/** What the shopper is about to buy, and what it would come to. */
export function Cart() {
  const cart = useCart();
  const [chosen, choose] = useStored(choices);
  const quote = useQuote({ cart: cart.data, ...chosen, destination: { country: chosen.country } });
  if (cart.isError && !cart.data) return <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />;
  if (!cart.data) return <CartSkeleton />;
  if (cart.data.items.length === 0) return <EmptyCart />;
  const { items, total_items, is_ready } = cart.data;
  return (
    <div className="cart">
      <h1>
        Cart <span className="heading-count">{count(total_items)}</span>
      </h1>
      <div className="with-summary">
        <section aria-label="What is in the cart">
          <Lines items={items} currency={cart.data.currency} />
        </section>
        <aside className="summary" aria-label="What it comes to">
          <label className="field">
            <span>Delivered to</span>
            <select value={chosen.country} onChange={(event) => choose({ ...chosen, country: event.target.value })}>
              {COUNTRIES.map(({ name, value }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <Coupons rejected={quote.data?.rejected_coupons ?? []} />
          {quote.isError ? <ProblemNote error={quote.error} onRetry={() => void quote.refetch()} /> : null}
          <Totals quote={quote.data} stale={quote.isPlaceholderData} />
          {is_ready ? (
            <Link className="button button-wide" to="/checkout" data-testid="to-checkout">
              Go to the checkout
            </Link>
          ) : (
            <p className="field-error" role="status">
              Something in the cart cannot be ordered like this: see the notes beside it.
            </p>
          )}
        </aside>
      </div>
    </div>
  );
}

export function EmptyCart() {
  return (
    <section className="note note-centred" data-testid="empty-cart">
      <h1>The cart is empty</h1>
      <p>What you put in stays here, also when you come back another day.</p>
      <Link className="button" to="/">
        Go to the shop
      </Link>
    </section>
  );
}

export function CartSkeleton() {
  return (
    <div className="cart" role="status" aria-label="Loading the cart">
      <p className="bone bone-short" />
      <p className="bone" />
      <p className="bone" />
    </div>
  );
}
