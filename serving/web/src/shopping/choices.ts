/** What the shopper has chosen on the way to the checkout: the cart itself does not know it. */
import type { ShippingMethod } from "../api/schema";
import { stored } from "../lib/stored";
import { COUNTRIES } from "./countries";

export interface Choices {
  coupons: readonly string[];
  country: string;
  method: ShippingMethod;
}

/** As many as the server takes. */
export const MOST_COUPONS = 10;

export const choices = stored<Choices>("chimera.choices", (kept) => {
  const { coupons, country, method } = (kept ?? {}) as Partial<Record<keyof Choices, unknown>>;
  return {
    coupons: Array.isArray(coupons) ? coupons.filter((code) => typeof code === "string").slice(0, MOST_COUPONS) : [],
    country: COUNTRIES.find(({ value }) => value === country)?.value ?? "United Kingdom",
    method: method === "express" ? "express" : "standard",
  };
});
