import { count, duration, rate } from "../../lib/format";
import type { LiveStores } from "../../live/hooks";
import type { StoreEntry } from "../../live/stores-state";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { NoRows, Panel } from "./panel";
import { Sparkline } from "./sparkline";

/** Every derived store: how old it is, how long the last change took, and how much goes through. */
export function Stores({ stores }: { stores: LiveStores }) {
  const { entries } = stores;
  return (
    <Panel title="Derived stores" aside={<StoresSummary entries={entries} />} className="panel-stores" id="stores">
      {entries.length === 0 ? (
        <NoRows loading={stores.connection.kind !== "open"}>No pipeline is running.</NoRows>
      ) : (
        <div className="table-scroll" tabIndex={0} role="group" aria-label="Derived stores, can be scrolled sideways">
          <table className="table table-stores" data-testid="stores">
            <thead>
              <tr>
                <th scope="col">Store</th>
                <th scope="col">Kept in</th>
                <th scope="col">State</th>
                <th scope="col" className="number">
                  Age
                </th>
                <th scope="col">Last minute</th>
                <th scope="col" className="number">
                  Delay
                </th>
                <th scope="col" className="number">
                  Throughput
                </th>
                <th scope="col" className="number">
                  Changes
                </th>
                <th scope="col" className="number">
                  Epoch
                </th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <StoreRow key={entry.status.store} {...entry} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

/** How many stores there are and how many are in trouble. */
export function StoresSummary({ entries }: { entries: readonly StoreEntry[] }) {
  if (entries.length === 0) return null;
  const troubled = entries.filter(({ health }) => health.kind !== "live");
  if (troubled.length === 0) return <span className="pill pill-live">All {entries.length} stores live</span>;
  const errors = troubled.filter(({ health }) => health.kind === "error").length;
  const words = [errors > 0 ? `${errors} in error` : "", troubled.length > errors ? `${troubled.length - errors} behind` : ""]
    .filter(Boolean)
    .join(", ");
  return (
    <span className={`pill ${errors > 0 ? "pill-error" : "pill-behind"}`}>
      <WarnIcon size={14} /> {words} of {entries.length} stores
    </span>
  );
}

const HEALTH_WORDS = { live: "Live", behind: "Behind", error: "Error" };

function StoreRow({ status, health, ages }: StoreEntry) {
  return (
    <>
      <tr className={`store store-${health.kind}`} data-store={status.store} data-health={health.kind}>
        <th scope="row">{status.store}</th>
        <td>{status.connector}</td>
        <td>
          <span className={`pill pill-${health.kind}`}>
            {health.kind === "live" ? <CheckIcon size={14} /> : <WarnIcon size={14} />}
            {HEALTH_WORDS[health.kind]}
          </span>
        </td>
        <td className="number" data-testid="age">
          {duration(status.age_ms)}
        </td>
        <td>
          <Sparkline values={ages} troubled={health.kind !== "live"} />
        </td>
        <td className="number">{duration(status.delay_ms)}</td>
        <td className="number">{rate(status.rows_per_s)}</td>
        <td className="number">{count(status.rows)}</td>
        <td className="number">{count(status.epoch)}</td>
      </tr>
      {health.kind === "live" ? null : (
        <tr className="store-why">
          <td colSpan={9}>{health.why}</td>
        </tr>
      )}
    </>
  );
}
