/** A shopper's picture made ready for the picture search. */
import { Problem } from "../api/problem";

const LONGEST_SIDE = 1024;
const SENT_AS_IS_BYTES = 2 * 1024 * 1024;
const LARGEST_BYTES = 40 * 1024 * 1024;

/**
 * A JPEG or PNG of reasonable size goes as it is; whatever else the browser can decode (WebP, AVIF, a phone's 12 megapixels)
 * becomes a JPEG with a longest side of 1024 pixels. Throws a `Problem` when it is no picture.
 */
export async function prepare(file: Blob): Promise<Blob> {
  if (file.size > LARGEST_BYTES) throw new Problem(0, "This picture is too large", "Choose one of at most 40 MB.");
  const bitmap = await decode(file);
  try {
    const plain = file.type === "image/jpeg" || file.type === "image/png";
    if (plain && file.size <= SENT_AS_IS_BYTES && Math.max(bitmap.width, bitmap.height) <= 4 * LONGEST_SIDE) return file;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    draw(bitmap, canvas);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Problem(0, "This picture could not be prepared"))), "image/jpeg", 0.9),
    );
  } finally {
    bitmap.close();
  }
}

export async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Problem(0, "This file is not a picture that can be read", "Use a JPEG, PNG or WebP picture.");
  }
}

/** Draws over the whole canvas, on white where the picture is transparent. */
export function draw(bitmap: ImageBitmap, canvas: HTMLCanvasElement): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

/** The first picture among dropped or pasted things. */
export function pictureIn(data: DataTransfer | null): File | null {
  for (const file of data?.files ?? []) {
    if (file.type.startsWith("image/")) return file;
  }
  return null;
}
