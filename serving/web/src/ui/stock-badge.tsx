/** From this many units on, the exact number does not help a shopper to decide. */
const PLENTY = 10;

export function StockBadge({ available }: { available: number }) {
  const [kind, words] = available <= 0 ? ["out", "Sold out"] : available <= PLENTY ? ["low", `Only ${available} left`] : ["in", "In stock"];
  return <span className={`stock stock-${kind}`}>{words}</span>;
}
