import { describe, expect, it } from "vitest";
import { Problem } from "../../src/api/problem";
import { faultsOf } from "../../src/lib/faults";

const invalid = (members: Record<string, unknown>) => new Problem(422, "wrong", "It is wrong.", "/problems/invalid-body", null, members);

describe("faultsOf", () => {
  it("has a sentence for each field", () => {
    const faults = faultsOf(
      invalid({
        errors: [
          { path: "shipping_address.city", message: "this is empty" },
          { path: "email", message: "there is no @" },
          { path: "email", message: "and more" },
        ],
      }),
    );
    expect([...faults]).toEqual([
      ["shipping_address.city", "This is empty."],
      ["email", "There is no @."],
    ]);
  });
  it("takes the one field that a body of another form is wrong at", () => {
    expect([...faultsOf(invalid({ path: "quantity" }))]).toEqual([["quantity", "It is wrong."]]);
  });
  it("is empty for other problems, and for what makes no sense", () => {
    expect(faultsOf(new Problem(409, "taken", null, "/problems/email-taken")).size).toBe(0);
    expect(faultsOf(invalid({ errors: [null, 7, { path: 1 }] })).size).toBe(0);
    expect(faultsOf(null).size).toBe(0);
  });
});
