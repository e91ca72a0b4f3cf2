import { expect, it } from "vitest";
import { newestWindow } from "../../src/pages/dashboard/trending";
import { pauseMs } from "../../src/live/stream";

it("waits longer after each failure, up to a quarter of a minute, spread over half of it", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => pauseMs(attempt, 1))).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  expect(pauseMs(0, 0)).toBe(250);
  expect(pauseMs(9, 0)).toBe(7500);
});

it("takes the newest window of a category by rank", () => {
  const row = (category: string, window_start: string, rank: number) => ({
    category,
    window_start,
    rank,
    sku: `${category}${rank}`,
    views: 10 - rank,
  });
  const rows = [
    row("All", "2026-01-01T09:00:00Z", 1),
    row("All", "2026-01-01T10:00:00Z", 2),
    row("All", "2026-01-01T10:00:00Z", 1),
    row("Garden", "2026-01-01T11:00:00Z", 1),
  ];
  expect(newestWindow(rows, "All").map(({ sku }) => sku)).toEqual(["All1", "All2"]);
  expect(newestWindow(rows, "Kitchen")).toEqual([]);
});
