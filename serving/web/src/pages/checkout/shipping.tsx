import type { Quote, ShippingMethod } from "../../api/schema";
import { cents } from "../../lib/format";

const METHODS: { method: ShippingMethod; name: string; about: string }[] = [
  { method: "standard", name: "Standard", about: "three to five days" },
  { method: "express", name: "Express", about: "the next working day" },
];

interface ShippingProps {
  chosen: ShippingMethod;
  onChoose: (method: ShippingMethod) => void;
  quotes: Record<ShippingMethod, { data: Quote | undefined; isError: boolean }>;
}

/** How it gets there, each way with its price for this cart and country. */
export function Shipping({ chosen, onChoose, quotes }: ShippingProps) {
  return (
    <div className="options">
      {METHODS.map(({ method, name, about }) => {
        const { data, isError } = quotes[method];
        return (
          <label key={method} className="option">
            <input
              type="radio"
              name="shipping"
              value={method}
              checked={chosen === method}
              disabled={isError}
              onChange={() => onChoose(method)}
            />
            <span>
              <strong>{name}</strong> <span className="option-about">{isError ? "not to this country" : about}</span>
            </span>
            <span className="option-price">{data && !isError ? price(data) : ""}</span>
          </label>
        );
      })}
    </div>
  );
}

const price = ({ shipping_cents, currency }: Quote): string => (shipping_cents === 0 ? "Free" : cents(shipping_cents, currency));
