import { useEffect } from "react";
import type { Problem } from "../../api/problem";
import { useFollowedView, useLiveStores, useLiveView } from "../../live/hooks";
import { Bars } from "./bars";
import { ConnectionNote } from "./connection-note";
import { LowStock } from "./low-stock";
import { Revenue } from "./revenue";
import { Stores, StoresSummary } from "./stores";
import { TopProducts } from "./top-products";
import { Totals } from "./totals";
import { Trending } from "./trending";

const TOTALS_KEY = ["id"];
const MINUTES_KEY = ["minute"];
const MANY_ROWS = 1_000;
/** As many as the server gives at once. */
const MOST_ROWS = 10_000;

/**
 * Three streams (totals, minutes, stores), and every other view read anew when its store moves on: a browser opens six
 * connections to a host at most, and other tabs want some.
 */
export function Board({ token, onDenied }: { token: string; onDenied: (problem: Problem) => void }) {
  const totals = useLiveView("sales.totals", TOTALS_KEY, token, 1);
  const minutes = useLiveView("sales.by_minute", MINUTES_KEY, token, MOST_ROWS);
  const stores = useLiveStores(token);

  const countries = useFollowedView("sales.by_country", token, stores.epochOf("sales.by_country"), MANY_ROWS);
  const categories = useFollowedView("sales.by_category", token, stores.epochOf("sales.by_category"), MANY_ROWS);
  const top = useFollowedView("sales.top_products", token, stores.epochOf("sales.top_products"), MANY_ROWS);
  const low = useFollowedView("inventory.low_stock", token, stores.epochOf("inventory.low_stock"), MANY_ROWS);
  const trending = useFollowedView("trending.trending", token, stores.epochOf("trending.trending"), MOST_ROWS);

  const connections = [totals.connection, minutes.connection, stores.connection];
  const denied = connections.find((connection) => connection.kind === "denied");
  useEffect(() => {
    if (denied?.kind === "denied") onDenied(denied.problem);
  }, [denied, onDenied]);

  return (
    <div className="dashboard">
      <div className="dashboard-head">
        <h1>Dashboard</h1>
        <div className="dashboard-state">
          {stores.entries.length > 0 ? (
            <a href="#stores">
              <StoresSummary entries={stores.entries} />
            </a>
          ) : null}
          <ConnectionNote connections={connections} />
        </div>
      </div>
      <Totals view={totals} />
      <Revenue view={minutes} most={MOST_ROWS} />
      <div className="dashboard-pair">
        <Bars title="Revenue by country" column="country" view={countries} />
        <Bars title="Revenue by category" column="category" view={categories} />
      </div>
      <div className="dashboard-three">
        <TopProducts view={top} />
        <LowStock view={low} />
        <Trending view={trending} />
      </div>
      <Stores stores={stores} />
    </div>
  );
}
