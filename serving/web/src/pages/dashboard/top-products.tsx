import { count, money, toNumber } from "../../lib/format";
import type { FollowedView } from "../../live/hooks";
import { NoRows, Panel } from "./panel";
import { SkuLink } from "./sku-link";

const SHOWN = 10;

export function TopProducts({ view }: { view: FollowedView }) {
  const rows = [...view.rows].sort((a, b) => toNumber(a.rank) - toNumber(b.rank)).slice(0, SHOWN);
  return (
    <Panel title="Top products">
      {rows.length === 0 ? (
        <NoRows loading={view.loading} error={view.error}>
          No order has been placed yet.
        </NoRows>
      ) : (
        <table className="table" data-testid="top-products">
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col" className="number">
                Units
              </th>
              <th scope="col" className="number">
                Revenue
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row.rank)}>
                <td>
                  <SkuLink sku={String(row.sku)} name={typeof row.name === "string" ? row.name : null} />
                </td>
                <td className="number">{count(row.units)}</td>
                <td className="number">{money(row.revenue)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
