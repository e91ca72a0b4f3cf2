/** Numbers, money, ages and times as people read them. */

const LOCALE = "en-GB";
export const SHOP_CURRENCY = "GBP";

const cached = new Map<string, Intl.NumberFormat>();
function formatter(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const known = cached.get(key);
  if (known) return known;
  const fresh = new Intl.NumberFormat(LOCALE, options);
  cached.set(key, fresh);
  return fresh;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

/** A value of a row as a number for drawing; NaN where it is none. Decimal strings lose digits past 2⁵³ here: never show the result. */
export function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && DECIMAL.test(value)) return Number(value);
  return Number.NaN;
}

/** Money from whole cents (or pence). */
export function cents(amount: number, currency: string = SHOP_CURRENCY): string {
  return money(amount / 100, currency);
}

/** Money from a number or an exact decimal string such as "9747747.934", which is rounded only in its text. */
export function money(amount: unknown, currency: string = SHOP_CURRENCY): string {
  return exact(formatter(`money:${currency}`, { style: "currency", currency }), amount);
}

/** Money in few letters, for axes and tiles: £9.7m. */
export function moneyShort(amount: number, currency: string = SHOP_CURRENCY): string {
  return formatter(`money-short:${currency}`, { style: "currency", currency, notation: "compact", maximumFractionDigits: 1 }).format(
    amount,
  );
}

export function count(value: unknown): string {
  return exact(formatter("count", { maximumFractionDigits: 0 }), value);
}

export function countShort(value: number): string {
  return formatter("count-short", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

export function percent(ratio: number): string {
  return formatter("percent", { style: "percent", maximumFractionDigits: 0 }).format(ratio);
}

function exact(format: Intl.NumberFormat, value: unknown): string {
  if (typeof value === "number" && Number.isFinite(value)) return format.format(value);
  // A decimal string goes to Intl as it is: all of its digits count.
  if (typeof value === "string" && DECIMAL.test(value)) return format.format(value as Intl.StringNumericLiteral);
  return "–";
}

/** A duration in milliseconds in the unit that suits it: "84 ms", "1.2 s", "3 min", "5 h", "2 d". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  const positive = Math.max(0, ms);
  if (positive < 999.5) return `${Math.round(positive)} ms`;
  if (positive < 9_950) return `${(positive / 1000).toFixed(1)} s`;
  if (positive < 59_500) return `${Math.round(positive / 1000)} s`;
  if (positive < 3_570_000) return `${Math.round(positive / 60_000)} min`;
  if (positive < 86_400_000) return `${Math.round(positive / 3_600_000)} h`;
  return `${Math.round(positive / 86_400_000)} d`;
}

/** How old a store's data is, in words: nothing waits, or the age of the oldest change that does. */
export function age(ms: number): string {
  return ms <= 0 ? "up to date" : `${duration(ms)} old`;
}

/** Changes a second. */
export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "–";
  const format = perSecond >= 100 ? count(perSecond) : formatter("rate", { maximumFractionDigits: 1 }).format(perSecond);
  return `${format}/s`;
}

const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short", timeZone: "UTC" });
const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeZone: "UTC" });
const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** An RFC 3339 time in UTC. */
export function time(value: unknown): string {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isFinite(at) ? dateTime.format(at) : "–";
}

/** Seconds since 1970, as the day alone for buckets of a day and more. */
export function bucketTime(seconds: number, bucketSeconds: number): string {
  return (bucketSeconds >= 86_400 ? day : dateTime).format(seconds * 1000);
}

/** Seconds since 1970 as a mark of an axis whose marks lie `step` seconds apart: "15:30", "22 Nov", "Nov 2026". */
export function axisTime(seconds: number, step: number): string {
  const parts = day.formatToParts(seconds * 1000);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value ?? "";
  if (step < 86_400 && seconds % 86_400 !== 0) return clock.format(seconds * 1000);
  return step < 27 * 86_400 ? `${part("day")} ${part("month")}` : `${part("month")} ${part("year")}`;
}

/** `colour_name` or `colour-name` as "Colour name". */
export function label(key: string): string {
  const words = key.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
