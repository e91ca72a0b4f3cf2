import { describe, expect, it } from "vitest";
import { fromParams, isSearch, NOTHING, toPath } from "../../src/pages/storefront/query";
import { match, productPath } from "../../src/router";

const read = (path: string) => fromParams(new URLSearchParams(path.replace(/^\/\??/, "")));

describe("the search in the address", () => {
  it("survives the way there and back", () => {
    for (const part of [
      { q: "tea & cake" },
      { brand: "A&B", min: 0, max: 12.5 },
      { category: "Garden", sort: "price_asc" as const },
      { similar: "p/1" },
      { stocked: true, q: "mug" },
      {},
    ]) {
      const query = { ...NOTHING, ...part };
      expect(read(toPath(query))).toEqual(query);
    }
  });
  it("is the plain address when nothing is asked", () => expect(toPath(NOTHING)).toBe("/"));
  it("ignores what makes no sense", () => {
    expect(read("/?min=-3&max=lots&sort=sideways")).toEqual(NOTHING);
  });
  it("knows a search from the first page", () => {
    expect(isSearch(NOTHING)).toBe(false);
    expect(isSearch({ ...NOTHING, q: "  " })).toBe(false);
    expect(isSearch({ ...NOTHING, q: "mug" })).toBe(true);
    expect(isSearch({ ...NOTHING, max: 5 })).toBe(true);
  });
});

describe("match", () => {
  it("names the pages", () => {
    expect(match("/")).toEqual({ page: "storefront" });
    expect(match("/dashboard/")).toEqual({ page: "dashboard" });
    expect(match(productPath("a b/c"))).toEqual({ page: "product", id: "a b/c" });
    expect(match("/product/%E0%A4%A")).toEqual({ page: "product", id: "%E0%A4%A" });
    expect(match("/product")).toEqual({ page: "not-found", path: "/product" });
  });
});
