/** From this many units on, the exact number does not help a shopper to decide. */
const PLENTY = 10;

/** Nothing where it is not known just now. */
export function StockBadge({ available }: { available: number | null | undefined }) {
  if (available === null || available === undefined) return null;
  const [kind, words] = available <= 0 ? ["out", "Sold out"] : available <= PLENTY ? ["low", `Only ${available} left`] : ["in", "In stock"];
  return <span className={`stock stock-${kind}`}>{words}</span>;
}
