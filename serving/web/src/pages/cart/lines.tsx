import { useEffect, useRef, useState } from "react";
import type { CartItem } from "../../api/schema";
import { cents, count, SHOP_CURRENCY } from "../../lib/format";
import { Link, productPath } from "../../router";
import { useChangeCart } from "../../shopping/cart";
import { BinIcon } from "../../ui/icons";
import { ProblemNote } from "../../ui/problem-note";
import { ProductPicture } from "../../ui/product-picture";
import { Stepper } from "../../ui/stepper";

/** As many units of an article as a cart takes. */
const MOST = 10_000;
/** Several clicks in a row are one change. */
const GATHER_MS = 350;

export function Lines({ items, currency }: { items: readonly CartItem[]; currency: string | null | undefined }) {
  return (
    <ul className="lines" data-testid="lines">
      {items.map((item) => (
        <Line key={item.sku} item={item} currency={currency ?? SHOP_CURRENCY} />
      ))}
    </ul>
  );
}

function Line({ item, currency }: { item: CartItem; currency: string }) {
  const { sku, unit_price_cents, was_unit_price_cents } = item;
  const name = item.name ?? `Item ${sku}`;
  const change = useChangeCart();
  const [quantity, setQuantity] = useGathered(item.quantity, (wanted) => change.mutate({ sku, quantity: wanted }), change.isError);
  return (
    <li className="line" data-line data-sku={sku}>
      <div className="line-picture">
        <ProductPicture imageUrl={item.image_url} name={name} />
      </div>
      <div className="line-words">
        <p className="line-name">{item.product_id ? <Link to={productPath(item.product_id)}>{name}</Link> : name}</p>
        <p className="line-each">
          {typeof unit_price_cents === "number" ? `${cents(unit_price_cents, currency)} each` : "No price"}
          {typeof was_unit_price_cents === "number" ? (
            <span className="line-was"> · was {cents(was_unit_price_cents, currency)} when you put it in</span>
          ) : null}
        </p>
        <Obstacle item={item} />
        {change.isError ? <ProblemNote error={change.error} /> : null}
      </div>
      <Stepper label={`Quantity of ${name}`} value={quantity} most={MOST} onChange={setQuantity} />
      <p className="line-total">{typeof unit_price_cents === "number" ? cents(unit_price_cents * quantity, currency) : "–"}</p>
      <button
        className="icon-button"
        type="button"
        aria-label={`Take ${name} out of the cart`}
        title="Take it out"
        disabled={change.isPending}
        onClick={() => change.mutate({ sku, quantity: 0 })}
      >
        <BinIcon size={18} />
      </button>
    </li>
  );
}

function Obstacle({ item }: { item: CartItem }) {
  const words = {
    not_offered: "The shop does not offer this any more. Take it out to go on.",
    not_enough_stock: `Only ${count(item.available ?? 0)} can be had just now.`,
    other_currency: "This is priced in another currency than the rest, and has to be bought by itself.",
  };
  return item.obstacle ? <p className="field-error">{words[item.obstacle]}</p> : null;
}

/**
 * A number that follows the server's, and tells it of a change once the clicks have stopped, or the page is left. What the server refused is
 * taken back.
 */
function useGathered(theirs: number, tell: (wanted: number) => void, refused: boolean): [number, (wanted: number) => void] {
  const [wanted, setWanted] = useState(theirs);
  const waiting = useRef<{ wanted: number; timer: number } | null>(null);
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  useEffect(() => {
    if (!waiting.current) setWanted(theirs);
  }, [theirs, refused]);
  const send = useRef(() => {
    if (!waiting.current) return;
    window.clearTimeout(waiting.current.timer);
    const { wanted: last } = waiting.current;
    waiting.current = null;
    latest.current(last);
  });
  useEffect(() => send.current, []);
  const change = (next: number) => {
    setWanted(next);
    if (waiting.current) window.clearTimeout(waiting.current.timer);
    waiting.current = { wanted: next, timer: window.setTimeout(send.current, GATHER_MS) };
  };
  return [wanted, change];
}
