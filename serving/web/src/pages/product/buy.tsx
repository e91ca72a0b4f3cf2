import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Problem } from "../../api/client";
import { placeOrder, stock as loadStock } from "../../api/shop";
import type { Order } from "../../api/types";
import { age, cents, count } from "../../lib/format";
import { uuid } from "../../lib/id";
import { track } from "../../lib/track";
import { CheckIcon } from "../../ui/icons";
import { ProblemNote } from "../../ui/problem-note";
import { COUNTRIES } from "./countries";

const STOCK_EVERY_MS = 2_000;
const MOST_AT_ONCE = 100;

interface BuyProps {
  sku: string;
  priceCents: number;
  currency: string;
}

/** Live stock, and an order of one item. After the order the stock is read at the order's own position: never an older one. */
export function Buy({ sku, priceCents, currency }: BuyProps) {
  const client = useQueryClient();
  const [quantity, setQuantity] = useState(1);
  const [country, setCountry] = useState(COUNTRIES[0] ?? "United Kingdom");
  // One key for one intention: asked again after a lost answer, the shop finds the order that it already has.
  const attempt = useRef<{ of: string; key: string } | null>(null);

  const stock = useQuery({
    queryKey: ["stock", sku],
    queryFn: ({ signal }) => loadStock(sku, undefined, signal),
    refetchInterval: ({ state }) => (isUnknown(state.error) ? false : STOCK_EVERY_MS),
    retry: (failures, error) => failures < 1 && !isUnknown(error),
  });
  const available = stock.data?.available;

  const order = useMutation({
    mutationFn: async () => {
      const of = JSON.stringify([sku, quantity, country]);
      if (attempt.current?.of !== of) attempt.current = { of, key: uuid() };
      const placed = await placeOrder({ country, items: [{ sku, quantity }] }, attempt.current.key);
      attempt.current = null;
      track("purchase", { sku });
      await client.cancelQueries({ queryKey: ["stock", sku] });
      try {
        client.setQueryData(["stock", sku], await loadStock(sku, placed.position));
        return { placed, counted: true };
      } catch {
        // The order stands; the stock shown catches up with one of the next readings.
        return { placed, counted: false };
      }
    },
    onError: (error) => {
      // A refusal is final for this key. After a lost answer or a fault of the server's the order may stand: the key is kept.
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && !error.transient) attempt.current = null;
    },
  });

  const limit = Math.min(MOST_AT_ONCE, Math.max(1, available ?? MOST_AT_ONCE));
  const soldOut = isUnknown(stock.error) || (available !== undefined && available <= 0);
  const total = cents(priceCents * quantity, currency);
  const set = (wanted: number) => setQuantity(Math.max(1, Math.min(limit, Math.trunc(wanted) || 1)));

  return (
    <div className="buy">
      <p className="buy-stock" aria-live="polite">
        {stock.data ? (
          <>
            <span className={`stock ${soldOut ? "stock-out" : available !== undefined && available <= 10 ? "stock-low" : "stock-in"}`}>
              <strong data-testid="available">{count(Math.max(0, stock.data.available))}</strong> in stock
            </span>
            <span className="freshness" title={`${stock.data.meta.store}, epoch ${stock.data.meta.epoch}`}>
              {age(stock.data.meta.age_ms)}
            </span>
          </>
        ) : stock.isError ? (
          <StockUnknown error={stock.error} />
        ) : (
          <span className="bone bone-short" />
        )}
      </p>
      <form
        className="buy-form"
        onSubmit={(event) => {
          event.preventDefault();
          order.mutate();
        }}
      >
        <div className="stepper" role="group" aria-label="Quantity">
          <button type="button" aria-label="One less" disabled={quantity <= 1} onClick={() => set(quantity - 1)}>
            −
          </button>
          <input
            inputMode="numeric"
            aria-label="Quantity"
            value={quantity}
            onChange={(event) => set(Number(event.target.value))}
            onFocus={(event) => event.target.select()}
          />
          <button type="button" aria-label="One more" disabled={quantity >= limit} onClick={() => set(quantity + 1)}>
            +
          </button>
        </div>
        <label className="buy-country">
          <span className="visually-hidden">Country of delivery</span>
          <select value={country} onChange={(event) => setCountry(event.target.value)}>
            {COUNTRIES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button className="button button-buy" type="submit" disabled={soldOut || order.isPending} data-testid="buy">
          {order.isPending ? "Placing the order…" : soldOut ? "Sold out" : `Buy for ${total}`}
        </button>
      </form>
      {order.isError ? <ProblemNote error={order.error} /> : null}
      {order.data ? <Placed order={order.data.placed} counted={order.data.counted} /> : null}
    </div>
  );
}

/** No movement has ever named the SKU: there is nothing to sell, and nothing to ask for again and again. */
const isUnknown = (error: Error | null): boolean => error instanceof Problem && error.status === 404;

function StockUnknown({ error }: { error: Error }) {
  return <span className="stock stock-out">{isUnknown(error) ? "Not kept in stock" : "The stock cannot be read right now"}</span>;
}

function Placed({ order, counted }: { order: Order; counted: boolean }) {
  const units = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return (
    <div className="note note-success" role="status" data-testid="order-placed">
      <CheckIcon />
      <p>
        Thank you. Order <strong data-testid="order-number">{order.number}</strong> is placed: {count(units)}{" "}
        {units === 1 ? "item" : "items"}, {cents(order.total_cents, order.currency)}.{" "}
        {counted ? "The stock above already counts it." : "The stock above will count it in a moment."}
      </p>
    </div>
  );
}
