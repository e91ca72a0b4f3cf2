import { afterEach, describe, expect, it, vi } from "vitest";
import { isProblem, Problem, problemOf } from "../../src/api/problem";
import { address, send } from "../../src/api/send";

afterEach(() => vi.unstubAllGlobals());

describe("address", () => {
  it("leaves out what has no value and escapes the rest", () => {
    expect(address("/search", { q: "tea & cake", brand: null, min_price: 0, sort: "" })).toBe("/api/v1/search?q=tea+%26+cake&min_price=0");
    expect(address("/stores")).toBe("/api/v1/stores");
  });
});

describe("problemOf", () => {
  it("reads a problem document, what stands in it besides, and Retry-After", async () => {
    const body = { type: "/problems/store-behind", title: "The store has not caught up yet", status: 504, detail: "Wait.", store: "x" };
    const problem = await problemOf(new Response(JSON.stringify(body), { status: 504, headers: { "retry-after": "2" } }));
    expect(problem).toMatchObject({
      status: 504,
      title: "The store has not caught up yet",
      detail: "Wait.",
      type: "/problems/store-behind",
      retryAfterMs: 2000,
      transient: true,
      members: { store: "x" },
    });
    expect(isProblem(problem, "out-of-stock", "store-behind")).toBe(true);
    expect(isProblem(problem, "out-of-stock")).toBe(false);
    expect(isProblem(new Error("x"), "store-behind")).toBe(false);
  });
  it("makes a sentence where there is no document", async () => {
    const problem = await problemOf(new Response("<h1>oops</h1>", { status: 500, statusText: "Internal Server Error" }));
    expect(problem).toMatchObject({ title: "The server answered 500 Internal Server Error", detail: null, transient: false });
  });
});

describe("send", () => {
  it("sends the operator's token", async () => {
    const fetch = vi.fn(async () => Response.json({ ok: true }));
    vi.stubGlobal("fetch", fetch);
    expect(await (await send("/api/v1/stores", { token: "secret" })).json()).toEqual({ ok: true });
    expect(fetch).toHaveBeenCalledWith(
      "/api/v1/stores",
      expect.objectContaining({ headers: expect.objectContaining({ authorization: "Bearer secret" }) }),
    );
  });
  it("turns a lost connection into a problem, but an abort stays one", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(send("/x")).rejects.toMatchObject({ status: 0, transient: true });
    await expect(send("/x")).rejects.toBeInstanceOf(Problem);
    vi.stubGlobal("fetch", async () => Promise.reject(new DOMException("gone", "AbortError")));
    await expect(send("/x")).rejects.toMatchObject({ name: "AbortError" });
  });
});
