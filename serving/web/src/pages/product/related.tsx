import { useQuery } from "@tanstack/react-query";
import { related } from "../../api/shop";
import { ProblemNote } from "../../ui/problem-note";
import { GridSkeleton, ProductGrid } from "../../ui/product-grid";

export function Related({ id }: { id: string }) {
  const result = useQuery({ queryKey: ["related", id], queryFn: ({ signal }) => related(id, 12, signal) });
  const items = result.data?.items ?? [];
  if (result.isSuccess && items.length === 0) return null;
  return (
    <section className="shelf-section" aria-label="Related products" data-testid="related">
      <h2>Goes well with it</h2>
      {result.isPending ? <GridSkeleton count={6} shelf /> : null}
      {result.isError ? <ProblemNote error={result.error} onRetry={() => void result.refetch()} /> : null}
      <ProductGrid
        products={items}
        label="Related products"
        shelf
        badge={(item) => (item.reason === "bought_together" ? "Bought together" : "Viewed together")}
      />
    </section>
  );
}
