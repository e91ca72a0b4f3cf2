import type { Order } from "../../api/schema";
import { cents, count, money } from "../../lib/format";

/** What was ordered, and what it came to. */
export function OrderLines({ order }: { order: Order }) {
  const { currency, subtotal_cents, discount_cents, shipping_cents, tax_cents, total_cents, refunded_cents } = order;
  const rows: [string, number | null | undefined, string?][] = [
    ["Articles", subtotal_cents],
    ["Discount", discount_cents || null, "totals-discount"],
    ["Delivery", shipping_cents],
    ["Total", total_cents, "totals-total"],
    ["Tax within it", tax_cents || null, "totals-aside"],
    ["Given back", refunded_cents || null, "totals-discount"],
  ];
  return (
    <div className="order-lines">
      <ul className="summary-lines">
        {order.items.map(({ line_no, sku, name, quantity, unit_price, paid_cents, shipped, returned }) => (
          <li key={line_no} data-sku={sku}>
            <span>
              {count(quantity)} × {name ?? sku}
              <span className="line-each">
                {" "}
                {money(unit_price, currency)} each
                {shipped > 0 ? ` · ${count(shipped)} sent` : ""}
                {returned > 0 ? ` · ${count(returned)} taken back` : ""}
              </span>
            </span>
            <span>{typeof paid_cents === "number" ? cents(paid_cents, currency) : ""}</span>
          </li>
        ))}
      </ul>
      <dl className="totals">
        {rows.map(([name, amount, kind]) =>
          typeof amount === "number" ? (
            <div key={name} className={kind}>
              <dt>{name}</dt>
              <dd>{name === "Delivery" && amount === 0 ? "Free" : `${name === "Discount" ? "−" : ""}${cents(amount, currency)}`}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </div>
  );
}
