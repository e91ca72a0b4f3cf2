import { useQuery } from "@tanstack/react-query";
import { order as loadOrder } from "../../api/checkout";
import { isProblem } from "../../api/problem";
import type { Order as OrderDocument, Units } from "../../api/schema";
import { count, time } from "../../lib/format";
import { Link } from "../../router";
import { MINE, useSignedIn } from "../../shopping/session";
import { AddressLines } from "../../ui/address-fields";
import { BackIcon } from "../../ui/icons";
import { ProblemNote } from "../../ui/problem-note";
import { CancelOrder } from "./cancel-order";
import { Own } from "./index";
import { OrderLines } from "./order-lines";
import { SendBack } from "./send-back";
import { STATUS, StatusPill } from "./status-pill";

/** Orders move on without the shopper: looked at again now and then. */
const AGAIN_MS = 15_000;

export default function Order({ id }: { id: string }) {
  return (
    <Own current="orders">
      <Loaded id={id} />
    </Own>
  );
}

function Loaded({ id }: { id: string }) {
  const signedIn = useSignedIn();
  const result = useQuery({
    queryKey: [MINE, "order", id],
    queryFn: ({ signal }) => loadOrder(id, signal),
    enabled: signedIn,
    refetchInterval: ({ state }) => (state.error ? false : AGAIN_MS),
    refetchOnWindowFocus: true,
  });
  if (result.isError && !result.data) {
    return isProblem(result.error, "order-not-found", "bad-parameter") ? (
      <div className="note note-centred">
        <h1>There is no such order</h1>
        <p>It may be of another account.</p>
        <Link className="button" to="/account">
          Your orders
        </Link>
      </div>
    ) : (
      <ProblemNote error={result.error} onRetry={() => void result.refetch()} />
    );
  }
  return result.data ? <Details order={result.data} /> : <p className="bone" role="status" aria-label="Loading the order" />;
}

function Details({ order }: { order: OrderDocument }) {
  return (
    <article className="order" data-testid="order">
      <Link className="link-button" to="/account">
        <BackIcon size={16} /> Orders
      </Link>
      <div className="order-head">
        <h1>{order.number}</h1>
        <StatusPill status={order.status} />
      </div>
      <OrderLines order={order} />
      <CancelOrder order={order} />
      <SendBack order={order} />
      <div className="order-facts">
        <section aria-labelledby="order-history">
          <h2 id="order-history">What happened</h2>
          <ol className="history" data-testid="history">
            {order.history.map(({ status, note, occurred_at }, index) => (
              <li key={index}>
                <strong>{STATUS[status].words}</strong> <span className="order-when">{time(occurred_at)}</span>
                {note ? <p>{note}</p> : null}
              </li>
            ))}
          </ol>
        </section>
        {order.shipping_address ? (
          <section aria-labelledby="order-where">
            <h2 id="order-where">Delivered to</h2>
            <AddressLines address={order.shipping_address} />
          </section>
        ) : null}
        {order.shipments.length > 0 ? (
          <section aria-labelledby="order-shipments">
            <h2 id="order-shipments">Parcels</h2>
            <ul className="history">
              {order.shipments.map(({ id, carrier, tracking_number, shipped_at, delivered_at, items }) => (
                <li key={id}>
                  <strong>{carrier}</strong> {tracking_number ? <code>{tracking_number}</code> : null}
                  <p>
                    {units(items)}, sent {time(shipped_at)}
                    {delivered_at ? `, delivered ${time(delivered_at)}` : ""}
                  </p>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        {order.returns.length > 0 ? (
          <section aria-labelledby="order-returns">
            <h2 id="order-returns">Returns</h2>
            <ul className="history" data-testid="returns">
              {order.returns.map(({ id, status, reason, requested_at, items }) => (
                <li key={id}>
                  <strong>{RETURNS[status] ?? status}</strong> <span className="order-when">{time(requested_at)}</span>
                  <p>
                    {units(items)}: {reason}
                  </p>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </article>
  );
}

function units(items: readonly Units[]): string {
  const sum = items.reduce((before, { quantity }) => before + quantity, 0);
  return `${count(sum)} ${sum === 1 ? "item" : "items"}`;
}

const RETURNS: Record<string, string> = { requested: "Asked for", received: "Taken back", refused: "Refused" };
