import type { ReactNode } from "react";
import type { Product } from "../api/schema";
import { cents } from "../lib/format";
import { track } from "../lib/track";
import { hasChoice } from "../pages/product/attributes";
import { NOTHING, toPath } from "../pages/storefront/query";
import { Link, productPath } from "../router";
import { AddToCart } from "./add-to-cart";
import { SimilarIcon } from "./icons";
import { ProductPicture } from "./product-picture";
import { StockBadge } from "./stock-badge";

export function ProductCard({ product, badge }: { product: Product; badge?: ReactNode }) {
  const { sku, name } = product;
  return (
    <article className="card" data-card data-sku={sku} data-category={product.category ?? ""} data-brand={product.brand ?? ""}>
      <div className="card-picture">
        <ProductPicture imageUrl={product.image_url} name={name} />
        {badge ? <span className="card-badge">{badge}</span> : null}
      </div>
      <div className="card-words">
        {product.brand ? <p className="card-brand">{product.brand}</p> : null}
        <h3 className="card-name">
          <Link to={productPath(product.id)} onClick={() => track("click", { sku })}>
            {name}
          </Link>
        </h3>
        <p className="card-line">
          <span className="price">{cents(product.price_cents, product.currency)}</span>
          <StockBadge available={product.available} />
        </p>
      </div>
      <div className="card-buy">
        {hasChoice(product) ? (
          <Link className="button button-quiet button-small" to={productPath(product.id)}>
            Choose a version<span className="visually-hidden"> of {name}</span>
          </Link>
        ) : (
          <AddToCart className="button-quiet button-small" sku={sku} name={name} quantity={1} soldOut={product.available === 0} />
        )}
      </div>
      {product.image_url ? (
        <Link
          className="card-similar"
          to={toPath({ ...NOTHING, similar: product.id })}
          aria-label={`Find products that look like ${name}`}
          title="Find similar"
        >
          <SimilarIcon size={18} />
        </Link>
      ) : null}
    </article>
  );
}
