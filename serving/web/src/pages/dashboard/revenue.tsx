import { useDeferredValue, useMemo, useState } from "react";
import { bucketTime, count, duration, money } from "../../lib/format";
import type { LiveView } from "../../live/hooks";
import { series, type Range } from "../../live/series";
import { NoRows, Panel } from "./panel";
import { RevenueChart } from "./revenue-chart";

const RANGES: { value: Range; name: string }[] = [
  { value: "hour", name: "Hour" },
  { value: "day", name: "Day" },
  { value: "month", name: "30 days" },
  { value: "all", name: "All" },
];

/** `most`: how many minutes there are at most; older ones are not known here. */
export function Revenue({ view, most }: { view: LiveView; most: number }) {
  const [range, setRange] = useState<Range>("hour");
  const [point, setPoint] = useState<number | null>(null);
  // A year of minutes takes a few milliseconds to sum: the rest of the page goes first.
  const rows = useDeferredValue(view.rows);
  const data = useMemo(() => series(rows.values(), range), [rows, range]);
  const revenue = data.revenue.reduce((sum, value) => sum + value, 0);
  const orders = data.orders.reduce((sum, value) => sum + value, 0);
  const time = point === null ? undefined : data.times[point];
  const at = point === null || time === undefined ? null : { time, revenue: data.revenue[point] ?? 0, orders: data.orders[point] ?? 0 };
  const bucket = data.bucketSeconds === 60 ? "minute" : duration(data.bucketSeconds * 1000);
  return (
    <Panel
      title={`Revenue by ${bucket}`}
      aside={
        <div className="segments" role="radiogroup" aria-label="Range">
          {RANGES.map(({ value, name }) => (
            <label key={value}>
              <input type="radio" name="range" value={value} checked={range === value} onChange={() => setRange(value)} />
              <span>{name}</span>
            </label>
          ))}
        </div>
      }
    >
      {data.times.length === 0 ? (
        <NoRows loading={view.epoch === null}>No order has been placed yet.</NoRows>
      ) : (
        <figure className="chart" aria-label={`Revenue by ${bucket}: ${money(revenue)} from ${count(orders)} orders in this range`}>
          <RevenueChart data={data} onPoint={setPoint} />
          <figcaption>
            <strong>{money(at ? at.revenue : revenue)}</strong> from <strong>{count(at ? at.orders : orders)}</strong> orders
            {at ? ` at ${bucketTime(at.time, data.bucketSeconds)} UTC` : " in this range, which ends with the newest order"}
            {!at && rows.size >= most ? ` and reaches back at most ${count(most)} minutes with orders` : ""}
          </figcaption>
        </figure>
      )}
    </Panel>
  );
}
