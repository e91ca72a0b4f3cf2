import { describe, expect, it } from "vitest";
import {
  age,
  axisTime,
  bucketTime,
  cents,
  count,
  duration,
  label,
  money,
  moneyShort,
  percent,
  rate,
  time,
  toNumber,
} from "../../src/lib/format";

describe("money", () => {
  it("shows decimal strings without losing digits on the way", () => {
    expect(money("9747747.934")).toBe("£9,747,747.93");
    expect(money("90071992547409931.01")).toBe("£90,071,992,547,409,931.01");
    expect(money("-12.5")).toBe("-£12.50");
  });
  it("shows cents and other currencies", () => {
    expect(cents(1999)).toBe("£19.99");
    expect(cents(1999, "EUR")).toBe("€19.99");
    expect(moneyShort(9_747_747)).toBe("£9.7m");
  });
  it("shows a dash for what is no number", () => {
    for (const nothing of [undefined, null, "", "1e3", "NaN", Number.NaN, {}]) expect(money(nothing)).toBe("–");
  });
});

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [-5, "0 ms"],
    [84.4, "84 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [1_234, "1.2 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [59_499, "59 s"],
    [59_500, "1 min"],
    [3_569_999, "59 min"],
    [3_570_000, "1 h"],
    [86_400_000, "1 d"],
    [604_800_000, "7 d"],
  ])("%d ms is %s", (ms, text) => expect(duration(ms)).toBe(text));
  it("has a dash for an unknown one", () => expect([duration(null), duration(undefined), duration(Number.NaN)]).toEqual(["–", "–", "–"]));
});

it("formats counts, rates, shares, times and labels", () => {
  expect(count(541909)).toBe("541,909");
  expect(count("25900")).toBe("25,900");
  expect([age(0), age(84)]).toEqual(["up to date", "84 ms old"]);
  expect(rate(0)).toBe("0/s");
  expect(rate(12.345)).toBe("12.3/s");
  expect(rate(10234.5)).toBe("10,235/s");
  expect(percent(0.973)).toBe("97%");
  expect(percent(0.9996)).toBe("100%");
  expect(percent(1)).toBe("100%");
  expect(time("2010-12-01T08:26:00Z")).toBe("1 Dec 2010, 08:26");
  expect(time("never")).toBe("–");
  const noon = Date.UTC(2026, 10, 22, 12) / 1000;
  expect([axisTime(noon, 300), axisTime(noon + 43_200, 300), axisTime(noon, 86_400), axisTime(noon, 2_592_000)]).toEqual([
    "12:00",
    "23 Nov",
    "22 Nov",
    "Nov 2026",
  ]);
  expect([bucketTime(noon, 60), bucketTime(noon, 86_400)]).toEqual(["22 Nov 2026, 12:00", "22 Nov 2026"]);
  expect(label("frame_colour")).toBe("Frame colour");
});

it("reads numbers of rows", () => {
  expect([toNumber("12.340"), toNumber(7), toNumber("-3")]).toEqual([12.34, 7, -3]);
  expect([toNumber(""), toNumber("12a"), toNumber(null), toNumber(true)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
});
