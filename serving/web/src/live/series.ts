/** Revenue over time from the rows of `sales.by_minute`: picks a range, sums into buckets, fills the gaps with zero. */
import type { Row } from "../api/types";
import { toNumber } from "../lib/format";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type Range = "hour" | "day" | "month" | "all";

export interface Series {
  /** Length of a bucket in seconds. */
  bucketSeconds: number;
  /** Start of each bucket in seconds since 1970, rising, without gaps. */
  times: number[];
  revenue: number[];
  orders: number[];
}

const RANGES: Record<Exclude<Range, "all">, { span: number; bucket: number }> = {
  hour: { span: HOUR, bucket: MINUTE },
  day: { span: DAY, bucket: 15 * MINUTE },
  month: { span: 30 * DAY, bucket: DAY },
};

/** The bucket for the whole of the data: some hundred points at most. */
function bucketFor(spanSeconds: number): number {
  const sizes = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY];
  return sizes.find((size) => spanSeconds / size <= 400) ?? 30 * DAY;
}

/** The series of the `range` that ends with the newest minute in the data. Times before 1970 or unreadable are left out. */
export function series(rows: Iterable<Row>, range: Range): Series {
  const points: { at: number; revenue: number; orders: number }[] = [];
  let newest = -Infinity;
  let oldest = Infinity;
  for (const row of rows) {
    const at = typeof row.minute === "string" ? Date.parse(row.minute) / 1000 : Number.NaN;
    if (!Number.isFinite(at)) continue;
    points.push({ at, revenue: toNumber(row.revenue) || 0, orders: toNumber(row.orders) || 0 });
    newest = Math.max(newest, at);
    oldest = Math.min(oldest, at);
  }
  if (points.length === 0) return { bucketSeconds: MINUTE, times: [], revenue: [], orders: [] };

  const span = range === "all" ? newest - oldest : RANGES[range].span;
  const bucket = range === "all" ? bucketFor(span) : RANGES[range].bucket;
  const last = Math.floor(newest / bucket) * bucket;
  const first = range === "all" ? Math.floor(oldest / bucket) * bucket : last - span + bucket;
  const length = Math.round((last - first) / bucket) + 1;
  const revenue = new Array<number>(length).fill(0);
  const orders = new Array<number>(length).fill(0);
  for (const point of points) {
    const index = Math.floor((point.at - first) / bucket);
    if (index < 0 || index >= length) continue;
    revenue[index] = (revenue[index] ?? 0) + point.revenue;
    orders[index] = (orders[index] ?? 0) + point.orders;
  }
  return { bucketSeconds: bucket, times: Array.from({ length }, (_, index) => first + index * bucket), revenue, orders };
}
