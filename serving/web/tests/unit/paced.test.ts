import { expect, it } from "vitest";
import { paced } from "../../src/live/paced";

function harness() {
  const delivered: number[][] = [];
  const planned: (() => void)[] = [];
  const queue = paced<number>({ deliver: (items) => delivered.push(items), intervalMs: 100, later: (task) => planned.push(task) });
  return { queue, delivered, tick: () => planned.shift()?.() };
}

it("delivers the first at once and what follows together, in order", () => {
  const { queue, delivered, tick } = harness();
  for (const item of [1, 2, 3]) queue.push(item);
  expect(delivered).toEqual([[1]]);
  tick();
  queue.push(4);
  expect(delivered).toEqual([[1], [2, 3]]);
  tick();
  tick();
  queue.push(5);
  expect(delivered).toEqual([[1], [2, 3], [4], [5]]);
});

it("delivers nothing once it is stopped", () => {
  const { queue, delivered, tick } = harness();
  queue.push(1);
  queue.push(2);
  queue.stop();
  tick();
  queue.push(3);
  expect(delivered).toEqual([[1]]);
});
