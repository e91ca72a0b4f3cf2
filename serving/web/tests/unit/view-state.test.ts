import { describe, expect, it } from "vitest";
import type { Row } from "../../src/api/types";
import { EMPTY, keyOf, parseViewEvent, reduce, type ViewEvent, type ViewState } from "../../src/live/view-state";

const KEY = ["country", "rank"];
const run = (...events: ViewEvent[]): ViewState => reduce(EMPTY, events, KEY);
const rows = (state: ViewState) => [...state.rows.values()];
const changes = (epoch: number, upserts: Row[], deletes: Row[] = []): ViewEvent => ({
  kind: "changes",
  epoch,
  committedMs: epoch * 10,
  upserts,
  deletes,
});
const snapshot = (epoch: number, of: Row[]): ViewEvent => ({ kind: "snapshot", epoch, rows: of });

describe("reduce", () => {
  const fr = { country: "France", rank: 1, revenue: "10.00" };
  const de = { country: "Germany", rank: 1, revenue: "20.00" };

  it("starts with a snapshot, then replaces, adds and removes by key", () => {
    const state = run(
      snapshot(3, [fr, de]),
      changes(
        4,
        [
          { ...fr, revenue: "11.00" },
          { country: "Spain", rank: 1, revenue: "1.00" },
        ],
        [{ country: "Germany", rank: 1 }],
      ),
    );
    expect(state.epoch).toBe(4);
    expect(state.committedMs).toBe(40);
    expect(rows(state)).toEqual([
      { ...fr, revenue: "11.00" },
      { country: "Spain", rank: 1, revenue: "1.00" },
    ]);
  });

  it("keeps a row that is deleted and inserted in the same epoch", () => {
    expect(rows(run(snapshot(1, [fr]), changes(2, [{ ...fr, revenue: "12.00" }], [fr])))).toEqual([{ ...fr, revenue: "12.00" }]);
  });

  it("applies an epoch once, and none older than the snapshot", () => {
    const start = run(snapshot(5, [fr]));
    expect(reduce(start, [changes(5, [de])], KEY)).toBe(start);
    const next = reduce(start, [changes(6, [de])], KEY);
    expect(reduce(next, [changes(6, [], [de])], KEY)).toBe(next);
  });

  it("does not apply changes without a snapshot", () => {
    expect(run(changes(1, [fr]))).toBe(EMPTY);
  });

  it("replaces everything with a new snapshot, even of a lower epoch: the server may have been rebuilt", () => {
    expect(rows(run(snapshot(9, [fr]), snapshot(2, [de]), changes(3, [fr])))).toEqual([de, fr]);
  });

  it("leaves the former state as it was", () => {
    const start = run(snapshot(1, [fr]));
    reduce(start, [changes(2, [], [fr])], KEY);
    expect(rows(start)).toEqual([fr]);
  });
});

describe("keyOf", () => {
  it("tells keys apart that look alike when joined", () => {
    expect(keyOf({ a: "x,y", b: "z" }, ["a", "b"])).not.toBe(keyOf({ a: "x", b: "y,z" }, ["a", "b"]));
    expect(keyOf({ a: 1 }, ["a"])).not.toBe(keyOf({ a: "1" }, ["a"]));
    expect(keyOf({ a: null }, ["a"])).not.toBe(keyOf({ a: "null" }, ["a"]));
  });
});

describe("parseViewEvent", () => {
  it("reads both events of the stream", () => {
    expect(parseViewEvent("snapshot", '{"rows":[{"id":1}],"epoch":7,"truncated":false}')).toEqual({
      kind: "snapshot",
      epoch: 7,
      rows: [{ id: 1 }],
    });
    expect(parseViewEvent("changes", '{"epoch":8,"committed_ms":123,"upserts":[{"id":2}],"deletes":[{"id":1}]}')).toEqual({
      kind: "changes",
      epoch: 8,
      committedMs: 123,
      upserts: [{ id: 2 }],
      deletes: [{ id: 1 }],
    });
  });

  it("ignores other events", () => {
    expect(parseViewEvent("ping", "not json")).toBeNull();
  });
});
