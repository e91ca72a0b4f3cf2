import { describe, expect, it } from "vitest";
import type { StoreStatus } from "../../src/api/schema";
import { HISTORY, judge, newestPositions, reduceStores } from "../../src/live/stores-state";

const store = (part: Partial<StoreStatus>): StoreStatus => ({
  store: "inventory.stock",
  pipeline: "inventory",
  connector: "redis",
  sources: ["orders", "inventory"],
  epoch: 10,
  frontier: { orders: 100, inventory: 50 },
  committed_ms: 1,
  applied_ms: 2,
  delay_ms: 40,
  delay_p50_ms: 30,
  delay_p99_ms: 90,
  age_ms: 0,
  rows: 5,
  rows_per_s: 1,
  error: null,
  ...part,
});

describe("judge", () => {
  const kind = (part: Partial<StoreStatus>, others: StoreStatus[] = []) => judge(store(part), newestPositions([store(part), ...others]));

  it("is live while nothing waits long, even where the last change took long", () => {
    expect(kind({}).kind).toBe("live");
    expect(kind({ age_ms: 5_000, delay_ms: 90_000 }).kind).toBe("live");
  });
  it("is behind when a change waits for long", () => {
    expect(kind({ age_ms: 7_200 })).toEqual({ kind: "behind", why: "A change committed 7.2 s ago cannot be read here yet." });
  });
  it("names the sources of which others have read more", () => {
    const found = kind({ age_ms: 7_200 }, [store({ store: "sales.totals", sources: ["orders"], frontier: { orders: 101 } })]);
    expect(found.kind === "behind" && found.why).toContain("other stores have read more of orders.");
  });
  it("says an error first", () => {
    expect(kind({ error: "Redis is gone", age_ms: 99_999 })).toEqual({ kind: "error", why: "Redis is gone" });
  });
});

describe("reduceStores", () => {
  it("sorts, keeps the ages of each store, and forgets what is too long ago or gone", () => {
    let entries = reduceStores([], [store({ store: "b", age_ms: 1 }), store({ store: "a", age_ms: 2 })]);
    expect(entries.map(({ status }) => status.store)).toEqual(["a", "b"]);
    for (let age = 3; age < 100; age++) entries = reduceStores(entries, [store({ store: "a", age_ms: age })]);
    expect(entries).toHaveLength(1);
    expect(entries[0]?.ages).toHaveLength(HISTORY);
    expect(entries[0]?.ages.at(-1)).toBe(99);
  });
});
