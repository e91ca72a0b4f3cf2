/** What the variants of a product have in common, and what tells one from the others. */
import type { Product, Variant } from "../../api/schema";
import { label } from "../../lib/format";

export interface Attribute {
  name: string;
  value: string;
}

const text = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** Attributes with the same value in every variant: they describe the product. */
export function common(variants: readonly Variant[]): Attribute[] {
  const [first, ...others] = variants;
  return Object.entries(first?.attributes ?? {})
    .filter(
      ([name, value]) =>
        value !== null && others.every(({ attributes = {} }) => name in attributes && text(attributes[name]) === text(value)),
    )
    .map(([name, value]) => ({ name: label(name), value: text(value) }));
}

/** "Size: L, Colour: red" of what is not common to all; null where nothing sets the variant apart. */
export function distinction(variant: Variant, variants: readonly Variant[]): string | null {
  const shared = new Set(common(variants).map(({ name }) => name));
  const own = Object.entries(variant.attributes ?? {})
    .map(([name, value]) => ({ name: label(name), value }))
    .filter(({ name, value }) => value !== null && !shared.has(name));
  return own.length === 0 ? null : own.map(({ name, value }) => `${name}: ${text(value)}`).join(", ");
}

/** Whether there is more to buy than the product as it stands. */
export function hasChoice({ sku, variants }: Product): boolean {
  const others = variants.filter((variant) => variant.sku !== sku);
  return others.length > 1 || others.some((only) => distinction(only, variants) !== null);
}
