import { describe, expect, it } from "vitest";
import { logInPath, match, nextPath } from "../../src/router";

describe("match", () => {
  it("knows every page", () => {
    expect(match("/")).toEqual({ page: "storefront" });
    expect(match("/product/a%20b")).toEqual({ page: "product", id: "a b" });
    expect(match("/cart/")).toEqual({ page: "cart" });
    expect(match("/checkout")).toEqual({ page: "checkout" });
    expect(match("/checkout/1")).toEqual({ page: "purchase", id: "1" });
    expect(match("/account")).toEqual({ page: "account", section: "orders" });
    expect(match("/account/verify-email")).toEqual({ page: "account", section: "verify-email" });
    expect(match("/account/orders/1")).toEqual({ page: "order", id: "1" });
    expect(match("/dashboard")).toEqual({ page: "dashboard" });
  });
  it("knows no others", () => {
    for (const path of ["/product", "/cart/1", "/checkout/1/2", "/account/x", "/account/login/1", "/account/orders/1/2", "/%E0"]) {
      expect(match(path).page, path).toBe("not-found");
    }
  });
});

describe("nextPath", () => {
  it("leads to pages of ours alone", () => {
    const next = (path: string) => nextPath(new URL(logInPath(path), "http://shop").searchParams);
    expect(next("/checkout?x=1")).toBe("/checkout?x=1");
    for (const elsewhere of ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]) {
      expect(next(elsewhere), elsewhere).toBe("/account");
    }
  });
});
