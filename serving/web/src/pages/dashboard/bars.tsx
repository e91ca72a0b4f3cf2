import { count, money, moneyShort, toNumber } from "../../lib/format";
import type { FollowedView } from "../../live/hooks";
import { NoRows, Panel } from "./panel";

const SHOWN = 8;

/** The largest revenues of a view by one column, as bars; the rest is summed. */
export function Bars({ title, column, view }: { title: string; column: string; view: FollowedView }) {
  const sorted = view.rows
    .map((row) => ({ name: String(row[column] ?? "None"), revenue: toNumber(row.revenue) || 0, exact: row.revenue, orders: row.orders }))
    .sort((a, b) => b.revenue - a.revenue);
  const shown = sorted.slice(0, SHOWN);
  const rest = sorted.slice(SHOWN);
  const largest = Math.max(1, shown[0]?.revenue ?? 0);
  return (
    <Panel title={title}>
      {shown.length === 0 ? (
        <NoRows loading={view.loading} error={view.error}>
          No order has been placed yet.
        </NoRows>
      ) : (
        <ol className="bars">
          {shown.map(({ name, revenue, exact, orders }) => (
            <li key={name} title={orders === undefined ? undefined : `${count(orders)} orders`}>
              <span className="bars-name">{name}</span>
              <span className="bars-track" aria-hidden="true">
                <span className="bars-fill" style={{ inlineSize: `${Math.max(0, (revenue / largest) * 100)}%` }} />
              </span>
              <span className="bars-value">{money(exact)}</span>
            </li>
          ))}
        </ol>
      )}
      {rest.length > 0 ? (
        <p className="panel-foot">
          and {count(rest.length)} more with {moneyShort(rest.reduce((sum, { revenue }) => sum + revenue, 0))} together
        </p>
      ) : null}
    </Panel>
  );
}
