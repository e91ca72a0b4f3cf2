import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { EVERYTHING, feed, search } from "../../api/shop";
import type { FeedItem } from "../../api/schema";
import { sessionId } from "../../lib/id";
import { flushEvents } from "../../lib/track";
import { Link } from "../../router";
import { CameraIcon } from "../../ui/icons";
import { usePicture } from "../../ui/picture-provider";
import { ProblemNote } from "../../ui/problem-note";
import { GridSkeleton, ProductGrid } from "../../ui/product-grid";
import { NOTHING, toPath } from "./query";

const SHELVES: { reason: FeedItem["reason"]; title: string }[] = [
  { reason: "because_you_viewed", title: "Because of what you viewed" },
  { reason: "trending", title: "Trending now" },
  { reason: "popular", title: "Popular in the shop" },
];

export function Feed() {
  const session = sessionId();
  // Always asked anew: it follows what the shopper has looked at a moment ago.
  const result = useQuery({
    queryKey: ["feed", session],
    queryFn: async ({ signal }) => {
      await flushEvents();
      return feed(session, 48, signal);
    },
    staleTime: 0,
  });
  const items = result.data?.items ?? [];
  const shelves = SHELVES.map((shelf) => ({ ...shelf, products: items.filter((item) => item.reason === shelf.reason) })).filter(
    ({ products }) => products.length > 0,
  );
  return (
    <>
      <Hero />
      <Categories />
      {result.isPending ? <GridSkeleton count={6} shelf /> : null}
      {result.isError ? <ProblemNote error={result.error} onRetry={() => void result.refetch()} /> : null}
      {shelves.map(({ reason, title, products }, index) => (
        <section key={reason} className="shelf-section" aria-label={title} data-reason={reason}>
          <h2>{title}</h2>
          {/* The last one goes on as a grid: there is room below it. */}
          <ProductGrid products={products} label={title} shelf={index < shelves.length - 1} />
        </section>
      ))}
      {result.isSuccess && items.length === 0 ? (
        <div className="note note-centred">
          <h2>The shop is being filled</h2>
          <p>Products appear here as soon as the first ones are in.</p>
        </div>
      ) : null}
    </>
  );
}

function Hero() {
  const file = useRef<HTMLInputElement>(null);
  const { choose } = usePicture();
  return (
    <section className="hero" aria-label="Welcome">
      <div>
        <h1>Name it, or show it.</h1>
        <p>Search with words or with a picture. Prices, stock and suggestions follow every order within a fraction of a second.</p>
      </div>
      <button className="hero-drop" type="button" onClick={() => file.current?.click()}>
        <CameraIcon size={32} />
        <strong>Search with a picture</strong>
        <span>Drop it anywhere, paste it, or choose a file</span>
      </button>
      <input
        ref={file}
        className="visually-hidden"
        type="file"
        accept="image/*"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) choose(chosen);
        }}
      />
    </section>
  );
}

function Categories() {
  const result = useQuery({
    queryKey: ["categories"],
    queryFn: ({ signal }) => search({ ...EVERYTHING, sort: "popularity", limit: 1 }, signal),
    staleTime: 60_000,
  });
  const categories = result.data?.facets.category ?? [];
  if (categories.length === 0) return null;
  return (
    <nav aria-label="Categories">
      <ul className="chips chips-categories">
        {categories.slice(0, 16).map(({ value }) => (
          <li key={value}>
            <Link className="chip" to={toPath({ ...NOTHING, category: value })}>
              {value}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
