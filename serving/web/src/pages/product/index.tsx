import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Problem } from "../../api/problem";
import { product as loadProduct } from "../../api/shop";
import type { Product as ProductDocument } from "../../api/schema";
import { cents } from "../../lib/format";
import { track } from "../../lib/track";
import { Link } from "../../router";
import { BackIcon, SimilarIcon } from "../../ui/icons";
import { ProblemNote } from "../../ui/problem-note";
import { ProductPicture } from "../../ui/product-picture";
import { NOTHING, toPath } from "../storefront/query";
import { Buy } from "./buy";
import { Related } from "./related";
import { Facts, Variants } from "./variants";

export function Product({ id }: { id: string }) {
  const result = useQuery({ queryKey: ["product", id], queryFn: ({ signal }) => loadProduct(id, signal) });
  const product = result.data?.product;
  const sku = product?.sku;

  useEffect(() => {
    if (!sku) return;
    // A glance is a view too, but a page that is only passed through within a moment is none; nor is one drawn twice.
    const timer = window.setTimeout(() => track("view", { sku }), 150);
    return () => window.clearTimeout(timer);
  }, [sku]);
  useEffect(() => {
    if (product) document.title = `${product.name} · Chimera`;
  }, [product]);

  if (result.isError && !product) {
    const missing = result.error instanceof Problem && result.error.status === 404;
    return missing ? (
      <div className="note note-centred">
        <h1>This product is not in the shop</h1>
        <p>It may have been taken out of the catalogue.</p>
        <Link className="button" to="/">
          Go to the shop
        </Link>
      </div>
    ) : (
      <ProblemNote error={result.error} onRetry={() => void result.refetch()} />
    );
  }
  if (!product) return <ProductSkeleton />;
  return <ProductDetails key={product.id} product={product} />;
}

function ProductDetails({ product }: { product: ProductDocument }) {
  const [sku, setSku] = useState(product.sku);
  const variant = product.variants.find((candidate) => candidate.sku === sku);
  const price = variant?.price_cents ?? product.price_cents;
  return (
    <article className="product">
      <button className="link-button product-back" type="button" onClick={() => window.history.back()}>
        <BackIcon size={16} /> Back
      </button>
      <div className="product-columns">
        <div className="product-picture">
          <ProductPicture imageUrl={product.image_url} name={product.name} eager />
          {product.image_url ? (
            <Link className="button button-quiet button-small product-similar" to={toPath({ ...NOTHING, similar: product.id })}>
              <SimilarIcon size={16} /> Find similar
            </Link>
          ) : null}
        </div>
        <div className="product-words">
          <p className="product-trail">
            {product.brand ? <Link to={toPath({ ...NOTHING, brand: product.brand })}>{product.brand}</Link> : null}
            {product.brand && product.category ? <span aria-hidden="true"> · </span> : null}
            {product.category ? <Link to={toPath({ ...NOTHING, category: product.category })}>{product.category}</Link> : null}
          </p>
          <h1>{product.name}</h1>
          <p className="product-price" data-testid="price">
            {cents(price, product.currency)}
          </p>
          {product.description ? <p className="product-description">{product.description}</p> : null}
          <Variants product={product} chosen={sku} onChoose={setSku} />
          <Buy key={sku} sku={sku} name={product.name} priceCents={price} currency={product.currency} />
          <Facts product={product} />
          <p className="product-sku">Item {sku}</p>
        </div>
      </div>
      <Related id={product.id} />
    </article>
  );
}

function ProductSkeleton() {
  return (
    <div className="product" role="status" aria-label="Loading the product">
      <div className="product-columns">
        <div className="product-picture card-skeleton" />
        <div className="product-words">
          <p className="bone bone-short" />
          <p className="bone" />
          <p className="bone bone-short" />
        </div>
      </div>
    </div>
  );
}
