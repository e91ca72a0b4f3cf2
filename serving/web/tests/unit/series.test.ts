import { describe, expect, it } from "vitest";
import { series } from "../../src/live/series";

const at = (minute: string, revenue: string, orders = 1) => ({ minute, revenue, orders });
const seconds = (text: string) => Date.parse(text) / 1000;

describe("series", () => {
  it("ends an hour with the newest minute and fills the gaps with zero", () => {
    const got = series(
      [at("2010-12-01T08:26:00Z", "2.50"), at("2010-12-01T08:29:00Z", "1.25", 3), at("2010-12-01T07:00:00Z", "99")],
      "hour",
    );
    expect(got.times).toHaveLength(60);
    expect(got.times[0]).toBe(seconds("2010-12-01T07:30:00Z"));
    expect(got.times.at(-1)).toBe(seconds("2010-12-01T08:29:00Z"));
    expect(got.revenue.slice(-4)).toEqual([2.5, 0, 0, 1.25]);
    expect(got.orders.slice(-4)).toEqual([1, 0, 0, 3]);
    expect(got.revenue.reduce((a, b) => a + b)).toBe(3.75);
  });

  it("sums quarters of an hour for a day", () => {
    const got = series([at("2010-12-01T08:01:00Z", "1"), at("2010-12-01T08:14:00Z", "2"), at("2010-12-01T08:15:00Z", "4")], "day");
    expect(got.bucketSeconds).toBe(900);
    expect(got.times).toHaveLength(96);
    expect(got.revenue.slice(-2)).toEqual([3, 4]);
  });

  it("sums days for a month", () => {
    const got = series([at("2011-11-10T23:59:00Z", "5"), at("2011-12-09T00:00:00Z", "7"), at("2011-12-09T12:50:00Z", "1")], "month");
    expect(got.times).toHaveLength(30);
    expect(got.times[0]).toBe(seconds("2011-11-10T00:00:00Z"));
    expect([got.revenue[0], got.revenue.at(-1)]).toEqual([5, 8]);
  });

  it("shows all of a year in at most some hundred buckets and loses nothing", () => {
    const rows = Array.from({ length: 374 }, (_, day) =>
      at(new Date(Date.UTC(2010, 11, 1, 9, day % 60) + day * 86_400_000).toISOString(), "10"),
    );
    const got = series(rows, "all");
    expect(got.times.length).toBeLessThanOrEqual(402);
    expect(got.revenue.reduce((a, b) => a + b)).toBe(3740);
  });

  it("leaves out what it cannot read, and is empty for nothing", () => {
    expect(series([], "all").times).toEqual([]);
    expect(series([at("soon", "1"), { revenue: "1" }], "hour").times).toEqual([]);
    expect(series([at("2010-12-01T08:26:00Z", "broken")], "all").revenue).toEqual([0]);
  });
});
