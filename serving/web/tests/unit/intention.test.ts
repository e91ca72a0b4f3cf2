import { describe, expect, it } from "vitest";
import { Problem } from "../../src/api/problem";
import { intentions, isUndecided } from "../../src/lib/intention";

const keys = () => {
  let n = 0;
  return () => `key ${n++}`;
};

describe("intentions", () => {
  it("keeps its key while nobody knows what became of it", () => {
    const attempts = intentions<{ sku: string }>(keys());
    const first = attempts.of({ sku: "A" });
    attempts.settle(new Problem(0, "away"));
    expect(attempts.of({ sku: "A" })).toEqual(first);
    attempts.settle(new Problem(503, "busy"));
    attempts.settle(new Problem(500, "failed"));
    attempts.settle(new Problem(409, "in flight", null, "/problems/order-in-flight", 1_000));
    expect(attempts.of({ sku: "A" }).key).toBe(first.key);
  });
  it("takes a new key for something else, after an answer, and after a refusal", () => {
    const attempts = intentions<{ sku: string }>(keys());
    expect(attempts.of({ sku: "A" }).key).toBe("key 0");
    expect(attempts.of({ sku: "B" }).key).toBe("key 1");
    attempts.settle();
    expect(attempts.of({ sku: "B" }).key).toBe("key 2");
    attempts.settle(new Problem(402, "declined"));
    expect(attempts.of({ sku: "B" }).key).toBe("key 3");
  });
});

describe("isUndecided", () => {
  it("is so for what is no answer of the shop's", () => {
    expect(isUndecided(new TypeError("x"))).toBe(true);
    expect(isUndecided(new Problem(422, "wrong"))).toBe(false);
  });
});
