import { useState } from "react";

/** A product's picture, or its initial where it has none or it does not load. The name beside it says what it is. */
export function ProductPicture({ imageUrl, name, eager = false }: { imageUrl: string | null | undefined; name: string; eager?: boolean }) {
  const [failed, setFailed] = useState<string | null>(null);
  if (!imageUrl || failed === imageUrl) {
    return (
      <span className="picture picture-none" aria-hidden="true">
        {name.charAt(0).toUpperCase()}
      </span>
    );
  }
  return (
    <img
      className="picture"
      src={imageUrl}
      alt=""
      width="320"
      height="320"
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      onError={() => setFailed(imageUrl)}
    />
  );
}
