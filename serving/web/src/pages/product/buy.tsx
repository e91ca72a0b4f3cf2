import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { stock as loadStock } from "../../api/shop";
import { age, cents, count } from "../../lib/format";
import { AddToCart } from "../../ui/add-to-cart";
import { Stepper } from "../../ui/stepper";

const STOCK_EVERY_MS = 2_000;
const MOST_AT_ONCE = 100;

interface BuyProps {
  sku: string;
  name: string;
  priceCents: number;
  currency: string;
}

/** Live stock, and so many units into the cart. */
export function Buy({ sku, name, priceCents, currency }: BuyProps) {
  const [quantity, setQuantity] = useState(1);
  const stock = useQuery({
    queryKey: ["stock", sku],
    queryFn: ({ signal }) => loadStock(sku, undefined, signal),
    refetchInterval: ({ state }) => (isUnknown(state.error) ? false : STOCK_EVERY_MS),
    retry: (failures, error) => failures < 1 && !isUnknown(error),
  });
  const available = stock.data?.available;
  const most = Math.min(MOST_AT_ONCE, Math.max(1, available ?? MOST_AT_ONCE));
  const soldOut = isUnknown(stock.error) || (available !== undefined && available <= 0);
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
      <div className="buy-form">
        <Stepper label="Quantity" value={Math.min(quantity, most)} most={most} onChange={setQuantity} />
        <AddToCart
          className="button-buy"
          sku={sku}
          name={name}
          quantity={Math.min(quantity, most)}
          soldOut={soldOut}
          words={`Add to cart · ${cents(priceCents * Math.min(quantity, most), currency)}`}
        />
      </div>
    </div>
  );
}

/** No movement has ever named the SKU: there is nothing to sell, and nothing to ask for again and again. */
const isUnknown = (error: Error | null): boolean => isProblem(error, "sku-not-found");

function StockUnknown({ error }: { error: Error }) {
  return <span className="stock stock-out">{isUnknown(error) ? "Not kept in stock" : "The stock cannot be read right now"}</span>;
}
