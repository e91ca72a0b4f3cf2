import { describe, expect, it } from "vitest";
import { newer } from "../../src/api/cart";
import type { Cart, Order } from "../../src/api/schema";
import { returnable } from "../../src/pages/account/send-back";

const cart = (id: string | null, version: number): Cart => ({ id, version, items: [], total_items: 0, subtotal_cents: 0, is_ready: false });

describe("newer", () => {
  it("keeps the later of two versions of a cart, whichever is answered last", () => {
    expect(newer(cart("a", 3), cart("a", 2)).version).toBe(3);
    expect(newer(cart("a", 3), cart("a", 4)).version).toBe(4);
    expect(newer(undefined, cart("a", 1)).version).toBe(1);
  });
  it("takes another cart whatever its version is", () => {
    expect(newer(cart("guest", 9), cart("own", 1)).id).toBe("own");
  });
});

describe("returnable", () => {
  it("is what was sent, less what is on its way back", () => {
    const line = (line_no: number, shipped: number) => ({
      line_no,
      sku: `S${line_no}`,
      name: null,
      quantity: 5,
      unit_price: "1",
      shipped,
      returned: 0,
    });
    const back = (status: string, quantity: number) => ({
      id: "r",
      status,
      reason: "x",
      refund_cents: 0,
      requested_at: "",
      items: [{ line_no: 1, quantity }],
    });
    const order = { items: [line(1, 4), line(2, 0), line(3, 1)], returns: [back("requested", 1), back("refused", 2), back("received", 1)] };
    expect(returnable(order as unknown as Order)).toEqual([
      { line_no: 1, name: "S1", units: 2 },
      { line_no: 3, name: "S3", units: 1 },
    ]);
  });
});
