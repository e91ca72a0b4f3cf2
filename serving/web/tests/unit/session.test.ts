import { describe, expect, it, vi } from "vitest";
import { Problem } from "../../src/api/problem";
import type { TokenPair } from "../../src/api/schema";
import { openSession } from "../../src/api/session";

const pair = (n: number): TokenPair => ({
  access_token: `access ${n}`,
  refresh_token: `refresh ${n}`,
  token_type: "Bearer",
  expires_in: 600,
  session_id: "s",
  user_id: "u",
  role: "shopper",
});

function harness(kept: string | null = null) {
  const items = new Map(kept === null ? [] : [["chimera.refresh-token", kept]]);
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  const clock = { now: 0 };
  const session = openSession(
    () => storage,
    () => clock.now,
  );
  const told = vi.fn();
  session.subscribe(told);
  return { session, items, clock, told };
}

describe("session", () => {
  it("has no token for nobody, and asks for none", async () => {
    const refresh = vi.fn();
    const { session } = harness();
    expect(await session.accessToken(refresh)).toBeNull();
    expect(refresh).not.toHaveBeenCalled();
  });

  it("uses an access token until shortly before its end, then the next one, asked for once however many wait", async () => {
    const { session, items, clock, told } = harness();
    session.begin(pair(1));
    expect(told).toHaveBeenCalledTimes(1);
    const refresh = vi.fn(async (token: string) => (token === "refresh 1" ? pair(2) : Promise.reject(new Error(token))));
    clock.now = 569_000;
    expect(await session.accessToken(refresh)).toBe("access 1");
    expect(refresh).not.toHaveBeenCalled();
    clock.now = 571_000;
    expect(await Promise.all([session.accessToken(refresh), session.accessToken(refresh)])).toEqual(["access 2", "access 2"]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(items.get("chimera.refresh-token")).toBe("refresh 2");
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("goes on after a reload by the refresh token alone; the access token is kept nowhere", async () => {
    const { session, items } = harness("refresh 1");
    expect(session.isOpen()).toBe(true);
    expect(await session.accessToken(async () => pair(2))).toBe("access 2");
    expect([...items.values()].join()).not.toContain("access");
  });

  it("is over when the refresh token is refused, and stands when the server could not be reached", async () => {
    const { session, told } = harness("refresh 1");
    const away = new Problem(0, "away");
    await expect(session.accessToken(async () => Promise.reject(away))).rejects.toBe(away);
    expect(session.isOpen()).toBe(true);
    expect(await session.accessToken(async () => Promise.reject(new Problem(401, "over")))).toBeNull();
    expect(session.isOpen()).toBe(false);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("takes no tokens of a session that was left meanwhile", async () => {
    const { session } = harness("refresh 1");
    let answer: (pair: TokenPair) => void = () => undefined;
    const waiting = session.accessToken(() => new Promise((resolve) => (answer = resolve)));
    session.end();
    answer(pair(2));
    expect(await waiting).toBeNull();
    expect(session.isOpen()).toBe(false);
  });
});
