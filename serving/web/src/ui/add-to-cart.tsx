import { useEffect, useState } from "react";
import { useAddToCart } from "../shopping/cart";
import { CartIcon, CheckIcon } from "./icons";
import { ProblemNote } from "./problem-note";

const SAID_MS = 2_000;

interface AddToCartProps {
  sku: string;
  name: string;
  quantity: number;
  soldOut: boolean;
  className: string;
  /** What the button says, before the name that only those hear who do not see it. */
  words?: string;
}

/** Puts a product into the cart, says so for a moment, and why if it could not. */
export function AddToCart({ sku, name, quantity, soldOut, className, words = "Add to cart" }: AddToCartProps) {
  const { add, isPending, isSuccess, error, reset } = useAddToCart();
  const [said, setSaid] = useState(false);
  useEffect(() => {
    if (!isSuccess) return;
    setSaid(true);
    const timer = window.setTimeout(() => {
      setSaid(false);
      reset();
    }, SAID_MS);
    return () => window.clearTimeout(timer);
  }, [isSuccess, reset]);
  return (
    <>
      <button
        className={`button ${className}`}
        type="button"
        disabled={soldOut || isPending}
        onClick={() => add(sku, quantity)}
        data-testid="add-to-cart"
      >
        {said ? <CheckIcon size={18} /> : <CartIcon size={18} />}
        {soldOut ? "Sold out" : said ? "Added" : isPending ? "Adding…" : words}
        <span className="visually-hidden">: {name}</span>
      </button>
      <span className="visually-hidden" role="status">
        {said ? `${name} is in the cart` : ""}
      </span>
      {error ? <ProblemNote error={error} /> : null}
    </>
  );
}
