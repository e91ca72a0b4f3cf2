import type { Quote } from "../../api/schema";
import { cents } from "../../lib/format";

/** How a price comes about, as the server worked it out. */
export function Totals({ quote, stale = false }: { quote: Quote | undefined; stale?: boolean }) {
  if (!quote) return <p className="bone" role="status" aria-label="Working out what it comes to" />;
  const money = (amount: number) => cents(amount, quote.currency);
  return (
    <dl className={stale ? "totals dimmed" : "totals"} aria-live="polite" aria-busy={stale} data-testid="totals">
      <Row name="Articles" value={money(quote.subtotal_cents)} />
      {byPromotion(quote).map(([name, amount]) => (
        <Row key={name} name={name} value={`−${money(amount)}`} kind="discount" />
      ))}
      <Row name="Delivery" value={quote.shipping_cents === 0 ? "Free" : money(quote.shipping_cents)} />
      {quote.tax_included ? null : <Row name="Tax" value={money(quote.tax_cents)} />}
      <Row name="Total" value={money(quote.total_cents)} kind="total" />
      {quote.tax_included && quote.tax_cents > 0 ? <Row name="Tax within it" value={money(quote.tax_cents)} kind="aside" /> : null}
    </dl>
  );
}

/** A promotion may take something off several lines. */
function byPromotion({ discounts }: Quote): [string, number][] {
  const sums = new Map<string, number>();
  for (const { name, coupon, amount_cents } of discounts) {
    const shown = coupon ? `${name} (${coupon})` : name;
    sums.set(shown, (sums.get(shown) ?? 0) + amount_cents);
  }
  return [...sums];
}

function Row({ name, value, kind }: { name: string; value: string; kind?: "discount" | "total" | "aside" }) {
  return (
    <div className={kind ? `totals-${kind}` : undefined} data-testid={kind === "total" ? "total" : undefined}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
