import { useId, useState } from "react";
import type { RejectedCoupon } from "../../api/schema";
import { useStored } from "../../lib/stored";
import { choices, MOST_COUPONS } from "../../shopping/choices";
import { CloseIcon } from "../../ui/icons";

const REASONS: Record<RejectedCoupon["reason"], string> = {
  unknown: "There is no such coupon.",
  "not-yet": "It is not good yet.",
  over: "It is over.",
  "used-up": "It was used as often as it can be.",
  "used-by-you": "You have used it as often as you may.",
  "sign-in-needed": "It is for those who have logged in.",
  "other-currency": "It is not for this currency.",
  "minimum-not-reached": "The cart is not worth enough for it yet.",
  "nothing-matches": "It is not for anything in the cart.",
  "not-combinable": "It does not go together with the others.",
};

/** Coupons to take along to the checkout, with why one brings nothing. */
export function Coupons({ rejected }: { rejected: readonly RejectedCoupon[] }) {
  const [chosen, choose] = useStored(choices);
  const [code, setCode] = useState("");
  const id = useId();
  const { coupons } = chosen;
  const wanted = code.trim().toUpperCase();
  const why = (coupon: string) => rejected.find((each) => each.code.toUpperCase() === coupon)?.reason;
  return (
    <form
      className="coupons"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted && !coupons.includes(wanted)) choose({ ...chosen, coupons: [...coupons, wanted] });
        setCode("");
      }}
    >
      <label htmlFor={id}>Coupon</label>
      <div className="coupons-field">
        <input
          id={id}
          name="coupon"
          value={code}
          maxLength={40}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          disabled={coupons.length >= MOST_COUPONS}
          onChange={(event) => setCode(event.target.value)}
        />
        <button className="button button-quiet button-small" type="submit" disabled={!wanted}>
          Apply
        </button>
      </div>
      {coupons.length > 0 ? (
        <ul className="chips" aria-label="Coupons">
          {coupons.map((coupon) => (
            <li key={coupon} className={why(coupon) ? "coupon coupon-rejected" : "coupon"} data-coupon={coupon}>
              <span>{coupon}</span>
              <button
                type="button"
                className="icon-button"
                aria-label={`Remove the coupon ${coupon}`}
                onClick={() => choose({ ...chosen, coupons: coupons.filter((other) => other !== coupon) })}
              >
                <CloseIcon size={14} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      <div aria-live="polite">
        {coupons.map((coupon) => {
          const reason = why(coupon);
          return reason ? (
            <p key={coupon} className="field-error">
              {coupon}: {REASONS[reason]}
            </p>
          ) : null;
        })}
      </div>
    </form>
  );
}
