import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { DEEPEST_OFFSET, search } from "../../api/shop";
import type { Sort } from "../../api/types";
import { count } from "../../lib/format";
import { track } from "../../lib/track";
import { Link, navigate } from "../../router";
import { Freshness } from "../../ui/freshness";
import { ProblemNote } from "../../ui/problem-note";
import { GridSkeleton, ProductGrid } from "../../ui/product-grid";
import { Facets } from "./facets";
import { isFiltered, NOTHING, toPath, type ShopQuery } from "./query";

const PAGE = 24;
/** A query counts as asked once it has stood this long: not each letter on the way to it. */
const SETTLED_MS = 900;

const SORTS: Record<Sort, string> = {
  relevance: "Best match",
  popularity: "Most popular",
  price_asc: "Price, low to high",
  price_desc: "Price, high to low",
};

const toCents = (pounds: number | null): number | null => (pounds === null ? null : Math.round(pounds * 100));

export function Results({ query }: { query: ShopQuery }) {
  const { q, brand, category, min, max, stocked, sort } = query;
  const words = q.trim();
  const result = useInfiniteQuery({
    queryKey: ["search", words, brand, category, min, max, stocked, sort],
    queryFn: ({ pageParam, signal }) =>
      search(
        {
          q: words,
          brand,
          category,
          min_price: toCents(min),
          max_price: toCents(max),
          in_stock: stocked,
          sort,
          limit: PAGE,
          offset: pageParam,
        },
        signal,
      ),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, page) => sum + page.hits.length, 0);
      return last.hits.length > 0 && shown < last.total && shown <= DEEPEST_OFFSET ? shown : undefined;
    },
    placeholderData: keepPreviousData,
  });

  const settled = result.isSuccess && !result.isPlaceholderData;
  useEffect(() => {
    if (!settled || words === "") return;
    const timer = window.setTimeout(() => track("search", { query: words }), SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [settled, words]);

  const change = (part: Partial<ShopQuery>) => navigate(toPath({ ...query, ...part }));
  const first = result.data?.pages[0];
  // The index may change between two pages: nothing is shown twice.
  const hits = [...new Map(result.data?.pages.flatMap((page) => page.hits).map((hit) => [hit.id, hit])).values()];
  const total = first?.total ?? 0;
  const filtered = isFiltered(query);

  return (
    <div className="results">
      <Facets facets={first?.facets} query={query} onChange={change} />
      <section aria-label="Results" aria-busy={result.isFetching}>
        <div className="results-head">
          <h1 className="results-title" aria-live="polite" data-testid="result-count">
            {result.isPending ? "Searching…" : <ResultWords total={total} words={words} category={category} />}
          </h1>
          <Freshness meta={first?.meta} what="Index" />
          <label className="sort">
            <span>Sort by</span>
            <select value={sort} onChange={(event) => change({ sort: event.target.value as Sort })}>
              {Object.entries(SORTS).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
        {first?.relaxed && total > 0 && words && !result.isPlaceholderData ? (
          <p className="results-relaxed">Nothing has exactly these words; this comes close.</p>
        ) : null}
        {result.isError && hits.length === 0 ? <ProblemNote error={result.error} onRetry={() => void result.refetch()} /> : null}
        {result.isPending ? <GridSkeleton count={12} /> : null}
        {result.isSuccess && total === 0 ? (
          <div className="note note-centred" data-testid="no-results">
            <h2>Nothing found{words ? ` for “${words}”` : ""}</h2>
            <p>{filtered ? "No product passes these filters." : "Try fewer or other words; small slips of the keyboard are forgiven."}</p>
            {filtered ? (
              <Link className="button" to={toPath({ ...NOTHING, q })}>
                Remove all filters
              </Link>
            ) : null}
          </div>
        ) : null}
        {hits.length > 0 ? <h2 className="visually-hidden">Products found</h2> : null}
        <ProductGrid products={hits} label="Products found" dimmed={result.isPlaceholderData} />
        {result.hasNextPage ? (
          <div className="more">
            <p>
              {count(hits.length)} of {count(total)} shown
            </p>
            <button
              className="button button-quiet"
              type="button"
              disabled={result.isFetchingNextPage}
              onClick={() => void result.fetchNextPage()}
            >
              {result.isFetchingNextPage ? "Loading…" : "Show more"}
            </button>
            {result.isFetchNextPageError ? <ProblemNote error={result.error} /> : null}
          </div>
        ) : null}
      </section>
    </div>
  );
}

function ResultWords({ total, words, category }: { total: number; words: string; category: string | null }) {
  const products = `${count(total)} ${total === 1 ? "product" : "products"}`;
  if (words)
    return (
      <>
        {products} for “{words}”
      </>
    );
  return category ? (
    <>
      {category} · {products}
    </>
  ) : (
    <>{products}</>
  );
}
