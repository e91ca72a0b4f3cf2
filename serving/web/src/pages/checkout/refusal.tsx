import { useEffect, useRef } from "react";
import { isProblem } from "../../api/problem";
import { Link } from "../../router";
import { ProblemNote } from "../../ui/problem-note";

interface RefusalProps {
  error: unknown;
  undecided: boolean;
  onAgain: () => void;
}

/** Why nothing was bought, and what to do next. */
export function Refusal({ error, undecided, onAgain }: RefusalProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.scrollIntoView({ block: "center" });
    place.current?.focus({ preventScroll: true });
  }, [error]);
  return (
    <div ref={place} tabIndex={-1} data-testid="refusal">
      {undecided ? (
        <ProblemNote error={error} onRetry={onAgain}>
          <p>It is not known whether it was bought. Trying again is safe: it is the same purchase, and is paid once.</p>
        </ProblemNote>
      ) : (
        <ProblemNote error={error}>{next(error)}</ProblemNote>
      )}
    </div>
  );
}

function next(error: unknown) {
  if (isProblem(error, "payment-declined", "payment-refused")) return <p>Choose another way to pay, and buy again.</p>;
  if (isProblem(error, "price-changed")) return <p>The total beside is what it costs now. If you agree, buy again.</p>;
  if (isProblem(error, "coupon-rejected", "promotion-used-up")) {
    return (
      <p>
        Remove the coupon in <Link to="/cart">the cart</Link>, and buy without it.
      </p>
    );
  }
  if (isProblem(error, "out-of-stock", "unknown-sku", "mixed-currencies")) {
    return (
      <p>
        <Link to="/cart">The cart</Link> says what can be had.
      </p>
    );
  }
  if (isProblem(error, "checkout-expired")) return <p>Buy again to try once more.</p>;
  return null;
}
