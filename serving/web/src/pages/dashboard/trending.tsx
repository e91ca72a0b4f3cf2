import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { EVERYTHING, search } from "../../api/shop";
import type { Row } from "../../api/types";
import { count, time, toNumber } from "../../lib/format";
import type { FollowedView } from "../../live/hooks";
import { NoRows, Panel } from "./panel";
import { SkuLink } from "./sku-link";

const ALL = "All";

/** The most viewed products of the newest window, over all categories or in one. */
export function Trending({ view }: { view: FollowedView }) {
  const [chosen, setChosen] = useState(ALL);
  const categories = [...new Set(view.rows.map((row) => String(row.category)))].sort((a, b) =>
    a === ALL ? -1 : b === ALL ? 1 : a.localeCompare(b),
  );
  const category = categories.includes(chosen) ? chosen : (categories[0] ?? ALL);
  const rows = newestWindow(view.rows, category);
  const most = Math.max(1, ...rows.map((row) => toNumber(row.views)));
  return (
    <Panel
      title="Trending"
      aside={
        categories.length > 1 ? (
          <select aria-label="Category" value={category} onChange={(event) => setChosen(event.target.value)}>
            {categories.map((name) => (
              <option key={name} value={name}>
                {name === ALL ? "All categories" : name}
              </option>
            ))}
          </select>
        ) : null
      }
    >
      {rows.length === 0 ? (
        <NoRows loading={view.loading} error={view.error}>
          Nobody has looked at a product yet.
        </NoRows>
      ) : (
        <ol className="bars bars-narrow" data-testid="trending">
          {rows.map((row) => (
            <li key={String(row.rank)}>
              <span className="bars-name">
                <NamedSku sku={String(row.sku)} />
              </span>
              <span className="bars-track" aria-hidden="true">
                <span className="bars-fill" style={{ inlineSize: `${(toNumber(row.views) / most) * 100}%` }} />
              </span>
              <span className="bars-value">{count(row.views)}</span>
            </li>
          ))}
        </ol>
      )}
      {rows[0] ? <p className="panel-foot">Views in the hour from {time(rows[0].window_start)} UTC</p> : null}
    </Panel>
  );
}

/** The rows of `category` in its newest window, by rank. RFC 3339 times in UTC sort as text. */
export function newestWindow(rows: readonly Row[], category: string): Row[] {
  const own = rows.filter((row) => String(row.category) === category);
  const newest = own.reduce((latest, row) => (String(row.window_start) > latest ? String(row.window_start) : latest), "");
  return own.filter((row) => String(row.window_start) === newest).sort((a, b) => toNumber(a.rank) - toNumber(b.rank));
}

/** The view only has the SKU: the search index knows the name. */
function NamedSku({ sku }: { sku: string }) {
  const result = useQuery({
    queryKey: ["name-of", sku],
    queryFn: async ({ signal }) => {
      const page = await search({ ...EVERYTHING, q: sku, limit: 5 }, signal);
      return page.hits.find((hit) => hit.sku === sku)?.name ?? null;
    },
    staleTime: 300_000,
    gcTime: 300_000,
  });
  return <SkuLink sku={sku} name={result.data ?? null} />;
}
