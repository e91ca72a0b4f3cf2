import { describe, expect, it } from "vitest";
import type { Row } from "../../src/api/types";
import { seeded } from "../../src/live/seeded";
import type { ViewEvent } from "../../src/live/view-state";

const snapshot: ViewEvent = { kind: "snapshot", epoch: 1, rows: [] };
const changes = (epoch: number): ViewEvent => ({ kind: "changes", epoch, committedMs: null, upserts: [], deletes: [] });
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function harness() {
  const emitted: ViewEvent[] = [];
  const reads: { resolve: (of: { rows: Row[]; epoch: number }) => void; reject: (error: Error) => void }[] = [];
  const retries: (() => void)[] = [];
  const take = seeded({
    read: () => new Promise((resolve, reject) => reads.push({ resolve, reject })),
    emit: (event) => emitted.push(event),
    later: (retry) => retries.push(retry),
  });
  return { emitted, reads, retries, take, epochs: () => emitted.map(({ kind, epoch }) => `${kind} ${epoch}`) };
}

describe("seeded", () => {
  it("keeps changes until the rows are read, then passes them on in order", async () => {
    const { take, reads, epochs } = harness();
    take(snapshot);
    take(changes(2));
    take(changes(3));
    expect(epochs()).toEqual([]);
    reads[0]?.resolve({ rows: [], epoch: 2 });
    await settle();
    take(changes(4));
    expect(epochs()).toEqual(["snapshot 2", "changes 2", "changes 3", "changes 4"]);
  });

  it("drops a read that began before the stream began anew", async () => {
    const { take, reads, epochs } = harness();
    take(snapshot);
    take(changes(2));
    take(snapshot);
    reads[0]?.resolve({ rows: [], epoch: 2 });
    await settle();
    expect(epochs()).toEqual([]);
    reads[1]?.resolve({ rows: [], epoch: 9 });
    await settle();
    expect(epochs()).toEqual(["snapshot 9"]);
  });

  it("reads again after a failure and loses nothing meanwhile", async () => {
    const { take, reads, retries, epochs } = harness();
    take(snapshot);
    reads[0]?.reject(new Error("not now"));
    await settle();
    take(changes(5));
    expect(retries).toHaveLength(1);
    retries[0]?.();
    reads[1]?.resolve({ rows: [], epoch: 4 });
    await settle();
    expect(epochs()).toEqual(["snapshot 4", "changes 5"]);
  });
});
