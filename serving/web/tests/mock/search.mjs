/** The mock's search: every word must be near some word of the product, by prefix or by a slip or two. */

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

const words = (text) =>
  (text ?? "")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

function score(product, query) {
  const fields = [
    [3, words(product.name)],
    [2, [product.sku.toLowerCase(), ...words(product.sku), ...words(product.brand)]],
    [1, [...words(product.category), ...words(product.description)]],
  ];
  let total = 0;
  for (const wanted of query) {
    let best = 0;
    for (const [weight, have] of fields) {
      for (const word of have) {
        if (word.startsWith(wanted)) best = Math.max(best, weight);
        else if (wanted.length >= 4 && distance(wanted, word) <= (wanted.length >= 7 ? 2 : 1)) best = Math.max(best, weight * 0.6);
      }
    }
    if (best === 0) return 0;
    total += best;
  }
  return total;
}

const counts = (products, field) => {
  const found = new Map();
  for (const product of products) if (product[field]) found.set(product[field], (found.get(product[field]) ?? 0) + 1);
  return [...found].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value.localeCompare(b.value));
};

const ORDER = {
  relevance: (a, b) => b.score - a.score || b.popularity - a.popularity,
  popularity: (a, b) => b.popularity - a.popularity,
  price_asc: (a, b) => a.price_cents - b.price_cents,
  price_desc: (a, b) => b.price_cents - a.price_cents,
};

export function search(products, { q = "", brand, category, min_price, max_price, in_stock, sort = "relevance", limit = 20, offset = 0 }) {
  const query = q.toLowerCase() === "" ? [] : [...new Set(words(q))];
  const exact = products.filter(({ sku }) => sku.toLowerCase() === q.trim().toLowerCase());
  const hits = (exact.length > 0 ? exact : products)
    .map((product) => ({ ...product, score: query.length === 0 || exact.length > 0 ? 1 : score(product, query) }))
    .filter(
      (hit) =>
        hit.score > 0 &&
        (in_stock !== "true" || hit.available > 0) &&
        hit.price_cents >= Number(min_price ?? 0) &&
        hit.price_cents <= Number(max_price ?? Infinity),
    );
  const inBrand = hits.filter((hit) => !brand || hit.brand === brand);
  const inCategory = hits.filter((hit) => !category || hit.category === category);
  const both = inBrand.filter((hit) => !category || hit.category === category).sort(ORDER[sort]);
  return {
    total: both.length,
    relaxed: query.length > 0 && exact.length === 0 && !hits.some((hit) => Number.isInteger(hit.score)),
    hits: both.slice(Number(offset), Number(offset) + Number(limit)),
    facets: { brand: counts(inCategory, "brand"), category: counts(inBrand, "category") },
  };
}
