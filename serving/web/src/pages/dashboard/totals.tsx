import { useEffect, useRef } from "react";
import { count, money, toNumber } from "../../lib/format";
import type { LiveView } from "../../live/hooks";

/** The shop's sums of all time: the one row of `sales.totals`. */
export function Totals({ view }: { view: LiveView }) {
  const row = [...view.rows.values()][0];
  const orders = toNumber(row?.orders);
  const basket = orders > 0 ? toNumber(row?.revenue) / orders : Number.NaN;
  const tiles = [
    { name: "revenue", title: "Revenue", value: money(row?.revenue) },
    { name: "orders", title: "Orders", value: count(row?.orders) },
    { name: "basket", title: "Average basket", value: money(basket) },
    { name: "lines", title: "Order lines", value: count(row?.lines) },
    { name: "customers", title: "Customers", value: count(row?.customers) },
    { name: "cancellations", title: "Cancelled lines", value: count(row?.cancellation_lines) },
  ];
  return (
    <dl className="tiles" aria-label="Totals">
      {tiles.map((tile) => (
        <Tile key={tile.name} {...tile} />
      ))}
    </dl>
  );
}

/** A figure that lights up for a moment when it changes. */
function Tile({ name, title, value }: { name: string; title: string; value: string }) {
  const figure = useRef<HTMLElement>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value && before.current !== "–") {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!calm) figure.current?.animate([{ color: "var(--accent-ink)" }, {}], { duration: 900, easing: "ease-out" });
    }
    before.current = value;
  }, [value]);
  return (
    <div className={`tile tile-${name}`}>
      <dt>{title}</dt>
      <dd ref={figure} data-testid={`total-${name}`}>
        {value}
      </dd>
    </div>
  );
}
