import { useInfiniteQuery } from "@tanstack/react-query";
import { orders as loadOrders } from "../../api/checkout";
import { cents, count, time } from "../../lib/format";
import { Link, orderPath } from "../../router";
import { MINE } from "../../shopping/session";
import { ProblemNote } from "../../ui/problem-note";
import { StatusPill } from "./status-pill";

/** One's orders, newest first. */
export function Orders() {
  const result = useInfiniteQuery({
    queryKey: [MINE, "orders"],
    queryFn: ({ pageParam, signal }) => loadOrders(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchOnWindowFocus: true,
  });
  const orders = result.data?.pages.flatMap((page) => page.orders) ?? [];
  return (
    <>
      <h1>Orders</h1>
      {result.isError && orders.length === 0 ? <ProblemNote error={result.error} onRetry={() => void result.refetch()} /> : null}
      {result.isPending ? <p className="bone" role="status" aria-label="Loading your orders" /> : null}
      {result.isSuccess && orders.length === 0 ? (
        <div className="note" data-testid="no-orders">
          <p>You have not ordered anything yet. Orders that you place while logged in stand here.</p>
        </div>
      ) : null}
      <ul className="orders" data-testid="orders">
        {orders.map(({ id, number, status, placed_at, units, total_cents, currency }) => (
          <li key={id}>
            <Link className="order-row" to={orderPath(id)}>
              <span className="order-number">{number}</span>
              <StatusPill status={status} />
              <span className="order-when">{time(placed_at)}</span>
              <span className="order-units">
                {count(units)} {units === 1 ? "item" : "items"}
              </span>
              <span className="order-total">{typeof total_cents === "number" ? cents(total_cents, currency) : "–"}</span>
            </Link>
          </li>
        ))}
      </ul>
      {result.hasNextPage ? (
        <button
          className="button button-quiet"
          type="button"
          disabled={result.isFetchingNextPage}
          onClick={() => void result.fetchNextPage()}
        >
          {result.isFetchingNextPage ? "Loading…" : "Show older ones"}
        </button>
      ) : null}
    </>
  );
}
