import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { addresses as loadAddresses, me } from "../../api/account";
import type { Cart, NewCheckout } from "../../api/schema";
import { faultsOf } from "../../lib/faults";
import { cents } from "../../lib/format";
import { useStored } from "../../lib/stored";
import { useSettled } from "../../lib/use-settled";
import { Link, logInPath } from "../../router";
import { useCart, useQuote } from "../../shopping/cart";
import { choices } from "../../shopping/choices";
import { MINE, useSignedIn } from "../../shopping/session";
import { noAddress } from "../../ui/address-fields";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";
import { CartSkeleton, EmptyCart } from "../cart";
import { Totals } from "../cart/totals";
import { Cards, CARDS } from "./cards";
import { DeliverTo, type Delivery } from "./deliver-to";
import { Refusal } from "./refusal";
import { Shipping } from "./shipping";
import { usePurchase } from "./use-purchase";

/** From the cart to an order: where it goes, how, and who pays. */
export default function Checkout() {
  const cart = useCart();
  const purchase = usePurchase();
  const signedIn = useSignedIn();
  const account = useQuery({ queryKey: [MINE, "account"], queryFn: ({ signal }) => me(signal), enabled: signedIn });
  const known = useQuery({ queryKey: [MINE, "addresses"], queryFn: ({ signal }) => loadAddresses(signal), enabled: signedIn });
  if (cart.isError && !cart.data) return <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />;
  if (!cart.data || (signedIn && (account.isPending || known.isPending))) return <CartSkeleton />;
  // After a lost answer the cart may be empty because it was bought: the shopper has to find that out first.
  if (cart.data.items.length === 0 && !purchase.isUndecided && !purchase.isPending) return <EmptyCart />;
  return <Form cart={cart.data} email={account.data?.email ?? null} known={known.data ?? []} signedIn={signedIn} purchase={purchase} />;
}

interface FormProps {
  cart: Cart;
  /** Of the account. */
  email: string | null;
  known: Parameters<typeof DeliverTo>[0]["known"];
  signedIn: boolean;
  purchase: ReturnType<typeof usePurchase>;
}

function Form({ cart, email, known, signedIn, purchase }: FormProps) {
  const [chosen, choose] = useStored(choices);
  const [guestEmail, setGuestEmail] = useState("");
  const [card, setCard] = useState(CARDS[0]?.token ?? "");
  const usual = known.find((address) => address.is_default && address.address_type === "shipping") ?? known[0];
  const [delivery, setDelivery] = useState<Delivery>({ id: usual?.id ?? null, typed: noAddress(chosen.country) });
  const address = known.find(({ id }) => id === delivery.id) ?? delivery.typed;

  const destination = useSettled({ country: address.country, state_province: address.state_province ?? null }, 400);
  const wish = { cart, coupons: chosen.coupons, destination };
  const quotes = { standard: useQuote({ ...wish, method: "standard" }), express: useQuote({ ...wish, method: "express" }) };
  const quote = quotes[chosen.method];
  const faults = faultsOf(purchase.error);
  const ready = quote.data && !quote.isPlaceholderData && !quote.isError;

  const submit = () => {
    if (!quote.data) return;
    const request: NewCheckout = {
      ...(signedIn ? {} : { email: guestEmail.trim() }),
      ...(delivery.id ? { shipping_address_id: delivery.id } : { shipping_address: delivery.typed }),
      coupons: [...chosen.coupons],
      shipping_method: chosen.method,
      payment_token: card,
      total_cents: quote.data.total_cents,
    };
    purchase.buy({ cart: `${cart.id} ${cart.version}`, request });
  };

  return (
    <div className="checkout">
      <h1>Checkout</h1>
      <form
        className="with-summary"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <fieldset className="steps" disabled={purchase.isPending || purchase.isUndecided}>
          <legend className="visually-hidden">Your order</legend>
          <section className="step" aria-labelledby="step-who">
            <h2 id="step-who">Confirmation</h2>
            {signedIn ? (
              <p>
                Goes to <strong>{email}</strong>.
              </p>
            ) : (
              <>
                <p className="step-hint">
                  You buy as a guest. <Link to={logInPath("/checkout")}>Log in</Link> to find the order in your account.
                </p>
                <Field
                  label="E-mail"
                  type="email"
                  name="email"
                  autoComplete="email"
                  maxLength={254}
                  required
                  value={guestEmail}
                  onChange={(event) => setGuestEmail(event.target.value)}
                  fault={faults.get("email")}
                />
              </>
            )}
          </section>
          <section className="step" aria-labelledby="step-where">
            <h2 id="step-where">Delivery address</h2>
            <DeliverTo
              known={known}
              delivery={delivery}
              faults={faults}
              onChange={(next) => {
                setDelivery(next);
                if (next.typed.country !== chosen.country) choose({ ...chosen, country: next.typed.country });
              }}
            />
          </section>
          <section className="step" aria-labelledby="step-how">
            <h2 id="step-how">Delivery</h2>
            <Shipping chosen={chosen.method} onChoose={(method) => choose({ ...chosen, method })} quotes={quotes} />
          </section>
          <section className="step" aria-labelledby="step-pay">
            <h2 id="step-pay">Payment</h2>
            <p className="step-hint">Payments are simulated: no card is asked for, and no money moves. Choose how it comes out.</p>
            <Cards chosen={card} onChoose={setCard} />
          </section>
        </fieldset>
        <aside className="summary" aria-label="What it comes to">
          <h2>Your order</h2>
          <ul className="summary-lines">
            {cart.items.map(({ sku, name, quantity, total_cents }) => (
              <li key={sku}>
                <span>
                  {quantity} × {name ?? sku}
                </span>
                <span>{typeof total_cents === "number" ? cents(total_cents, cart.currency ?? undefined) : ""}</span>
              </li>
            ))}
          </ul>
          {quote.isError ? <ProblemNote error={quote.error} onRetry={() => void quote.refetch()} /> : null}
          <Totals quote={quote.data} stale={quote.isPlaceholderData} />
          {purchase.error ? <Refusal error={purchase.error} undecided={purchase.isUndecided} onAgain={purchase.again} /> : null}
          {purchase.isUndecided ? null : (
            <button
              className="button button-wide"
              type="submit"
              disabled={!ready || !cart.is_ready || purchase.isPending}
              data-testid="pay"
            >
              {purchase.isPending ? "Paying…" : quote.data ? `Pay ${cents(quote.data.total_cents, quote.data.currency)}` : "Pay"}
            </button>
          )}
          {cart.is_ready ? null : (
            <p className="field-error">
              Something cannot be ordered like this: <Link to="/cart">see the cart</Link>.
            </p>
          )}
        </aside>
      </form>
    </div>
  );
}
