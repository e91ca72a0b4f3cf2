import { describe, expect, it } from "vitest";
import type { Variant } from "../../src/api/schema";
import { common, distinction } from "../../src/pages/product/attributes";

const variant = (sku: string, attributes: Record<string, unknown>): Variant => ({ sku, attributes, price_cents: null });

describe("attributes of variants", () => {
  const small = variant("A-1", { colour: "red", material: "linen", size: "S" });
  const large = variant("A-2", { colour: "red", material: "linen", size: "L", depth_cm: 4 });

  it("keeps what all have apart from what tells them apart", () => {
    expect(common([small, large])).toEqual([
      { name: "Colour", value: "red" },
      { name: "Material", value: "linen" },
    ]);
    expect(distinction(small, [small, large])).toBe("Size: S");
    expect(distinction(large, [small, large])).toBe("Size: L, Depth cm: 4");
  });
  it("takes all of an only variant as the product's own", () => {
    expect(common([small])).toHaveLength(3);
    expect(distinction(small, [small])).toBeNull();
  });
  it("is empty for none, and leaves nulls out", () => {
    expect(common([])).toEqual([]);
    expect(common([variant("B", { colour: null })])).toEqual([]);
  });
  it("shows structured values as JSON", () => {
    expect(common([variant("C", { fits: ["a", "b"] })])).toEqual([{ name: "Fits", value: '["a","b"]' }]);
  });
});
