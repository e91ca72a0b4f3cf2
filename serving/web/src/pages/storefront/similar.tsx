import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Problem } from "../../api/problem";
import { picture as loadPicture, product as loadProduct, visualSearch } from "../../api/shop";
import type { VisualHit } from "../../api/schema";
import { percent } from "../../lib/format";
import { decode, draw, prepare } from "../../lib/picture";
import { Link, productPath } from "../../router";
import { Freshness } from "../../ui/freshness";
import { UPLOADED, usePicture } from "../../ui/picture-provider";
import { ProblemNote } from "../../ui/problem-note";
import { GridSkeleton, ProductGrid } from "../../ui/product-grid";

const LIMIT = 24;

/** Products that look like the shopper's own picture, or like that of another product. */
export function Similar({ wanted }: { wanted: string }) {
  return wanted === UPLOADED ? <SimilarToUpload /> : <SimilarToProduct id={wanted} />;
}

function SimilarToUpload() {
  const { picture } = usePicture();
  const result = useQuery({
    queryKey: ["similar", UPLOADED, picture?.id],
    queryFn: async ({ signal }) => {
      if (!picture) throw new Problem(0, "There is no picture");
      return visualSearch(await prepare(picture.file), LIMIT, signal);
    },
    enabled: picture !== null,
  });
  if (!picture) {
    return (
      <div className="note note-centred">
        <h1>Choose the picture once more</h1>
        <p>
          Your picture stays in this tab only and is gone when the page is loaded anew. Drop it here, paste it, or use the camera beside the
          search.
        </p>
        <Link className="button" to="/">
          Go to the shop
        </Link>
      </div>
    );
  }
  return (
    <section aria-label="Similar products" aria-busy={result.isFetching}>
      <div className="similar-head">
        <Preview file={picture.file} key={picture.id} />
        <div>
          <h1>Products that look like your picture</h1>
          <Freshness meta={result.data?.meta} what="Pictures" />
        </div>
      </div>
      <SimilarHits {...result} onRetry={() => void result.refetch()} />
    </section>
  );
}

function SimilarToProduct({ id }: { id: string }) {
  const product = useQuery({ queryKey: ["product", id], queryFn: ({ signal }) => loadProduct(id, signal) });
  const name = product.data?.product.name;
  const imageUrl = product.data?.product.image_url ?? null;
  const result = useQuery({
    queryKey: ["similar", id, imageUrl],
    queryFn: async ({ signal }) => visualSearch(await prepare(await loadPicture(imageUrl ?? "", signal)), LIMIT + 1, signal),
    enabled: imageUrl !== null,
  });
  if (product.isError) return <ProblemNote error={product.error} onRetry={() => void product.refetch()} />;
  if (product.isSuccess && imageUrl === null)
    return <ProblemNote error={new Problem(0, `${name ?? "This product"} has no picture to compare`)} />;
  // The product itself is the best hit: it is named above, so the list begins with the others.
  const others = result.data?.hits.filter((hit) => hit.id !== id);
  return (
    <section aria-label="Similar products" aria-busy={result.isFetching}>
      <div className="similar-head">
        {imageUrl ? <img className="similar-preview" src={imageUrl} alt="" width="96" height="96" /> : <span className="similar-preview" />}
        <div>
          <h1>
            Products that look like <Link to={productPath(id)}>{name ?? "…"}</Link>
          </h1>
          <Freshness meta={result.data?.meta} what="Pictures" />
        </div>
      </div>
      <SimilarHits {...result} data={others ? { hits: others } : undefined} onRetry={() => void result.refetch()} />
    </section>
  );
}

interface SimilarHitsProps {
  data: { hits: VisualHit[] } | undefined;
  isPending: boolean;
  error: Error | null;
  onRetry: () => void;
}

function SimilarHits({ data, isPending, error, onRetry }: SimilarHitsProps) {
  if (error) return <ProblemNote error={error} onRetry={onRetry} />;
  if (isPending || !data) return <GridSkeleton count={12} />;
  if (data.hits.length === 0) {
    return (
      <div className="note note-centred">
        <h2>Nothing looks like this</h2>
        <p>Try a picture that shows one thing, from near by.</p>
      </div>
    );
  }
  return (
    <>
      <h2 className="visually-hidden">Products by similarity</h2>
      <ProductGrid
        products={data.hits}
        label="Products by similarity"
        badge={(hit) => (
          <span className="similarity" data-similarity={hit.similarity}>
            <meter min={0} max={1} value={hit.similarity} aria-hidden="true" />
            {percent(hit.similarity)} alike
          </span>
        )}
      />
    </>
  );
}

/** Shows the chosen file through a canvas: the pages' content policy allows no blob: addresses. */
function Preview({ file }: { file: File }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let gone = false;
    decode(file).then(
      (bitmap) => {
        const target = canvas.current;
        if (!gone && target) {
          const scale = 192 / Math.max(bitmap.width, bitmap.height);
          target.width = Math.max(1, Math.round(bitmap.width * scale));
          target.height = Math.max(1, Math.round(bitmap.height * scale));
          draw(bitmap, target);
        }
        bitmap.close();
      },
      () => undefined, // The search itself says that this is no picture.
    );
    return () => {
      gone = true;
    };
  }, [file]);
  return <canvas className="similar-preview" ref={canvas} width="192" height="192" role="img" aria-label="Your picture" />;
}
