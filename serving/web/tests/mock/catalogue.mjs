/** Made-up products with made-up pictures: the mock's whole shop. */
import { createHash } from "node:crypto";
import { draw, features } from "./png.mjs";

const soft = (distance) => (distance < 0 ? 0.82 + 0.18 * Math.min(1, -distance * 4) : null);
const round = (x, y, rx, ry = rx) => (Math.hypot(x / rx, y / ry) - 1) * Math.min(rx, ry);
const box = (x, y, w, h, r = 0.08) => Math.hypot(Math.max(0, Math.abs(x) - w + r), Math.max(0, Math.abs(y) - h + r)) - r;

/** What each kind of thing looks like. */
const SHAPES = {
  Mugs: (x, y) => soft(Math.min(box(x + 0.1, y, 0.38, 0.45), Math.abs(round(x - 0.34, y, 0.24, 0.28)) - 0.06)),
  Lamps: (x, y) =>
    y < 0.05
      ? soft(box(x / (0.75 + y), y + 0.3, 0.62, 0.35, 0.03))
      : soft(Math.min(box(x, y - 0.3, 0.05, 0.4, 0.02), round(x, y - 0.68, 0.34, 0.08))),
  Bags: (x, y) => soft(Math.min(box(x, y - 0.18, 0.52, 0.42), Math.abs(round(x, y + 0.24, 0.26, 0.32)) - 0.045)),
  Plants: (x, y) =>
    soft(
      Math.min(
        box(x * (1 + 0.25 * y), y - 0.45, 0.3, 0.25, 0.05),
        round(x - 0.2, y + 0.25, 0.17, 0.4),
        round(x + 0.2, y + 0.2, 0.17, 0.38),
        round(x, y + 0.4, 0.16, 0.4),
      ),
    ),
  Cushions: (x, y) => soft(box(x * (1 + 0.12 * y * y), y * (1 + 0.12 * x * x), 0.6, 0.5, 0.2)),
  Clocks: (x, y) =>
    box(x, y + 0.2, 0.025, 0.2, 0.01) < 0 || box(x - 0.14, y, 0.15, 0.025, 0.01) < 0
      ? 0.25
      : soft(round(x, y, 0.62)) === null
        ? null
        : round(x, y, 0.52) < 0
          ? 1.25
          : 0.9,
};

const COLOURS = {
  Coral: [238, 108, 86],
  Teal: [38, 142, 140],
  Mustard: [222, 168, 48],
  Indigo: [78, 84, 176],
  Sage: [138, 166, 128],
  Rose: [214, 122, 150],
  Slate: [92, 104, 120],
  Ochre: [196, 120, 58],
};
const BRANDS = ["Nordlys", "Harbour & Sons", "Kiln", "Moorland", "Atelier Sud"];
const NAMES = {
  Mugs: "stoneware mug",
  Lamps: "table lamp",
  Bags: "canvas bag",
  Plants: "potted plant",
  Cushions: "linen cushion",
  Clocks: "wall clock",
};
const DESCRIPTIONS = {
  Mugs: "Thrown by hand and glazed twice; holds 350 ml and goes into the dishwasher.",
  Lamps: "A warm light for reading, with a shade of woven cotton and a foot that stays where it is put.",
  Bags: "Heavy canvas, double seams, and one pocket inside for what must not get lost.",
  Plants: "Asks for a bright place and a glass of water a week. The pot is included.",
  Cushions: "Washed linen over a feather filling. The cover comes off.",
  Clocks: "A silent movement behind a face that can be read from across the room.",
};

export const uuid = (text) => {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** The products, each with `picture` (PNG bytes) and `features`. */
export function catalogue() {
  const products = [];
  let n = 0;
  for (const [category, shape] of Object.entries(SHAPES)) {
    for (const [colour, rgb] of Object.entries(COLOURS)) {
      const brand = BRANDS[(n * 7) % BRANDS.length];
      const sku = `${category.slice(0, 3).toUpperCase()}-${String(100 + n)}`;
      const pictured = n !== 13;
      const picture = pictured ? draw(shape, rgb) : null;
      const variants =
        category === "Cushions"
          ? ["S", "L"].map((size, i) => ({
              sku: `${sku}-${size}`,
              attributes: { material: "linen", size },
              price_cents: i === 0 ? null : 3_499,
            }))
          : [];
      products.push({
        id: uuid(sku),
        sku,
        name: `${colour} ${NAMES[category]}`,
        description: DESCRIPTIONS[category],
        brand: n === 20 ? null : brand,
        category,
        price_cents: 799 + ((n * 937) % 6_400),
        currency: "GBP",
        available: n === 5 ? 0 : n % 9 === 4 ? 3 : 40 + ((n * 31) % 200),
        popularity: (n * 53) % 97,
        variants,
        image_url: pictured ? `/api/v1/images/${uuid(`${sku}-image`)}` : null,
        picture,
        features: picture ? features(picture) : null,
      });
      n++;
    }
  }
  return products;
}
