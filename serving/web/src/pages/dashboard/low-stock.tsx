import { count, toNumber } from "../../lib/format";
import type { FollowedView } from "../../live/hooks";
import { NoRows, Panel } from "./panel";
import { SkuLink } from "./sku-link";

const SHOWN = 10;

/** What has to be ordered anew, the emptiest first. */
export function LowStock({ view }: { view: FollowedView }) {
  const rows = [...view.rows].sort((a, b) => share(a) - share(b) || String(a.sku).localeCompare(String(b.sku)));
  return (
    <Panel title="Low stock" aside={rows.length > 0 ? <span className="panel-count">{count(rows.length)}</span> : null}>
      {rows.length === 0 ? (
        <NoRows loading={view.loading} error={view.error}>
          Every product is above its reorder point.
        </NoRows>
      ) : (
        <table className="table" data-testid="low-stock">
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col" className="number">
                Left
              </th>
              <th scope="col" className="number">
                Reorder at
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, SHOWN).map((row) => (
              <tr key={String(row.sku)}>
                <td>
                  <SkuLink sku={String(row.sku)} name={typeof row.name === "string" ? row.name : null} />
                </td>
                <td className="number">
                  <span className={`stock ${toNumber(row.available) <= 0 ? "stock-out" : "stock-low"}`}>{count(row.available)}</span>
                </td>
                <td className="number">{count(row.threshold)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rows.length > SHOWN ? <p className="panel-foot">and {count(rows.length - SHOWN)} more</p> : null}
    </Panel>
  );
}

function share(row: Record<string, unknown>): number {
  return toNumber(row.available) / Math.max(1, toNumber(row.threshold));
}
