/** Judges where the derived stores stand, and keeps a minute of each one's age for its line. */
import type { StoreStatus } from "../api/schema";
import { duration } from "../lib/format";

export type Health = { kind: "live" } | { kind: "behind"; why: string } | { kind: "error"; why: string };

export interface StoreEntry {
  status: StoreStatus;
  health: Health;
  /** Ages in ms, oldest first, one a report. */
  ages: readonly number[];
}

export const HISTORY = 60;
/** A commit should be readable within a fraction of a second; a store whose oldest waiting one is older than this is behind. */
const BEHIND_MS = 5_000;

/** The next state of the table after a report; stores are sorted by name. */
export function reduceStores(entries: readonly StoreEntry[], report: readonly StoreStatus[]): StoreEntry[] {
  const before = new Map(entries.map((entry) => [entry.status.store, entry]));
  const newest = newestPositions(report);
  return [...report]
    .sort((a, b) => a.store.localeCompare(b.store))
    .map((status) => {
      const ages = before.get(status.store)?.ages ?? [];
      const age = status.age_ms;
      return { status, health: judge(status, newest), ages: [...ages, age].slice(-HISTORY) };
    });
}

/** The furthest position that any store has reached in each source. */
export function newestPositions(report: readonly StoreStatus[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const { frontier } of report) {
    for (const [source, position] of Object.entries(frontier)) newest.set(source, Math.max(position, newest.get(source) ?? 0));
  }
  return newest;
}

export function judge(status: StoreStatus, newest: ReadonlyMap<string, number>): Health {
  if (status.error) return { kind: "error", why: status.error };
  if (status.age_ms <= BEHIND_MS) return { kind: "live" };
  const lagging = status.sources.filter((source) => (status.frontier[source] ?? 0) < (newest.get(source) ?? 0));
  const others = lagging.length > 0 ? `; other stores have read more of ${lagging.join(" and ")}` : "";
  return { kind: "behind", why: `A change committed ${duration(status.age_ms)} ago cannot be read here yet${others}.` };
}
