import type { KeyboardEvent, ReactNode } from "react";
import type { Product } from "../api/schema";
import { ProductCard } from "./product-card";

interface ProductGridProps<P extends Product> {
  products: readonly P[];
  label: string;
  badge?: (product: P) => ReactNode;
  /** One row that scrolls sideways. */
  shelf?: boolean;
  dimmed?: boolean;
}

/** Cards in a grid; the arrow keys go from card to card, Up from the first row back to the search field. */
export function ProductGrid<P extends Product>({ products, label, badge, shelf = false, dimmed = false }: ProductGridProps<P>) {
  return (
    <ul className={`${shelf ? "shelf" : "grid"}${dimmed ? " dimmed" : ""}`} aria-label={label} onKeyDown={moveFocus} data-testid="products">
      {products.map((product) => (
        <li key={product.id}>
          <ProductCard product={product} badge={badge?.(product)} />
        </li>
      ))}
    </ul>
  );
}

export function GridSkeleton({ count, shelf = false }: { count: number; shelf?: boolean }) {
  return (
    <div className={shelf ? "shelf" : "grid"} role="status" aria-label="Loading products">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className="card card-skeleton">
          <div className="card-picture" />
          <div className="card-words">
            <p className="bone bone-short" />
            <p className="bone" />
            <p className="bone bone-short" />
          </div>
        </div>
      ))}
    </div>
  );
}

function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const target = event.target as HTMLElement;
  if (!target.matches("[data-card] h3 a")) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-card] h3 a")];
  const here = links.indexOf(target);
  const top = (link: HTMLElement) => link.closest("li")?.offsetTop ?? 0;
  const left = (link: HTMLElement) => link.closest("li")?.offsetLeft ?? 0;
  const sameColumn = (candidates: HTMLElement[]) => candidates.find((link) => left(link) === left(target));
  let next: HTMLElement | null | undefined;
  if (event.key === "ArrowRight") next = links[here + 1];
  else if (event.key === "ArrowLeft") next = links[here - 1];
  else if (event.key === "ArrowDown") next = sameColumn(links.slice(here + 1)) ?? undefined;
  else if (event.key === "ArrowUp") {
    next = sameColumn(links.slice(0, here).reverse());
    if (!next && top(target) === top(links[0] ?? target)) next = document.querySelector<HTMLElement>(".search input[name=q]");
  }
  if (!next) return;
  event.preventDefault();
  next.focus();
}
