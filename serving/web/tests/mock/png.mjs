/** Small PNG pictures of made-up products, and what the mock's picture search sees in a picture. */
import { deflateSync, inflateSync } from "node:zlib";

const SIDE = 192;
const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  let crc = 0xffffffff;
  for (const byte of body) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4);
  return out;
}

/** Draws with `inside(x, y)` (−1 … 1) → 0 … 1, how bright the product is there, or null outside of it. */
export function draw(inside, [r, g, b]) {
  const raw = Buffer.alloc(SIDE * (SIDE * 3 + 1));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const light = inside((x / SIDE) * 2 - 1, (y / SIDE) * 2 - 1);
      const at = y * (SIDE * 3 + 1) + 1 + x * 3;
      const [pr, pg, pb] = light === null ? [244, 242, 238] : [r * light, g * light, b * light];
      raw[at] = Math.min(255, pr);
      raw[at + 1] = Math.min(255, pg);
      raw[at + 2] = Math.min(255, pb);
    }
  }
  const header = Buffer.from([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 2, 0, 0, 0]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

/** Colours on a coarse grid of a picture that `draw` made, as a vector of length 1; null for anything else. */
export function features(png) {
  const at = png.indexOf("IDAT", 0, "latin1");
  if (at < 0) return null;
  let raw;
  try {
    raw = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  } catch {
    return null;
  }
  if (raw.length !== SIDE * (SIDE * 3 + 1)) return null;
  const cells = new Float64Array(8 * 8 * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      for (let c = 0; c < 3; c++)
        cells[(((y >> 3) / 3) | 0) * 24 + (((x >> 3) / 3) | 0) * 3 + c] += 241 - raw[y * (SIDE * 3 + 1) + 1 + x * 3 + c];
    }
  }
  const norm = Math.hypot(...cells);
  return [...cells].map((value) => value / norm);
}
