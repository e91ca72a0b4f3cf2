import { describe, expect, it } from "vitest";
import { Problem } from "../../src/api/problem";
import type { ShopEvent } from "../../src/api/types";
import { eventQueue } from "../../src/lib/events";

function harness(answers: (Error | null)[] = []) {
  const sent: ShopEvent[][] = [];
  const beacons: ShopEvent[][] = [];
  const planned: { run: () => void; ms: number }[] = [];
  const runPlanned = async () => {
    planned.at(-1)?.run();
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  let ids = 0;
  let beaconTakes = true;
  const queue = eventQueue({
    send: async (events) => {
      const answer = answers.shift() ?? null;
      sent.push(events);
      if (answer) throw answer;
    },
    beacon: (events) => beaconTakes && beacons.push(events) > 0,
    schedule: (run, ms) => planned.push({ run, ms }),
    sessionId: () => "session",
    eventId: () => `event-${ids++}`,
    now: () => new Date(Date.UTC(2026, 0, 1)),
  });
  return { queue, sent, beacons, planned, runPlanned, refuseBeacons: () => (beaconTakes = false) };
}

describe("eventQueue", () => {
  it("gathers events into one batch", async () => {
    const { queue, sent, planned } = harness();
    queue.record("view", { sku: "A" });
    queue.record("search", { query: "mug" });
    expect(planned).toHaveLength(1);
    await queue.flush();
    expect(sent).toEqual([
      [
        { event_id: "event-0", type: "view", session_id: "session", sku: "A", occurred_at: "2026-01-01T00:00:00.000Z" },
        { event_id: "event-1", type: "search", session_id: "session", query: "mug", occurred_at: "2026-01-01T00:00:00.000Z" },
      ],
    ]);
    expect(queue.waiting()).toBe(0);
  });

  it("sends again under the same ids, later each time, when no answer came", async () => {
    const gone = new Problem(0, "The shop cannot be reached");
    const { queue, sent, planned, runPlanned } = harness([gone, new Problem(503, "Busy")]);
    queue.record("view", { sku: "A" });
    await runPlanned();
    queue.record("view", { sku: "B" });
    await runPlanned();
    await runPlanned();
    expect(sent.map((batch) => batch.map(({ event_id }) => event_id))).toEqual([
      ["event-0"],
      ["event-0", "event-1"],
      ["event-0", "event-1"],
    ]);
    expect(planned.map(({ ms }) => ms)).toEqual([1500, 3000, 6000]);
    expect(queue.waiting()).toBe(0);
  });

  it("drops a batch that was refused", async () => {
    const { queue, sent } = harness([new Problem(422, "Bad event")]);
    queue.record("view", { sku: "A" });
    await queue.flush();
    await queue.flush();
    expect(sent).toHaveLength(1);
    expect(queue.waiting()).toBe(0);
  });

  it("hands what waits to the browser when the page is left, and keeps it if that is refused", () => {
    const { queue, beacons, refuseBeacons } = harness();
    for (let i = 0; i < 70; i++) queue.record("click", { sku: String(i) });
    queue.leave();
    expect(beacons.map((batch) => batch.length)).toEqual([50, 20]);
    refuseBeacons();
    queue.record("click", { sku: "late" });
    queue.leave();
    expect(queue.waiting()).toBe(1);
  });

  it("keeps at most 500", () => {
    const { queue } = harness();
    for (let i = 0; i < 800; i++) queue.record("click", { sku: String(i) });
    expect(queue.waiting()).toBe(500);
  });
});
