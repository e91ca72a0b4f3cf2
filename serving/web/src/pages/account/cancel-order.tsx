import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cancel } from "../../api/checkout";
import type { Order } from "../../api/schema";
import { MINE } from "../../shopping/session";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";

/** Of an order of which nothing was sent; asks once more before it does it. */
export function CancelOrder({ order }: { order: Order }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  const give = useMutation({
    mutationFn: () => cancel(order.id, reason.trim() || null),
    onSuccess: async (changed) => {
      setAsks(false);
      client.setQueryData([MINE, "order", order.id], changed);
      await client.invalidateQueries({ queryKey: [MINE, "orders"] });
    },
    onError: () => client.invalidateQueries({ queryKey: [MINE, "order", order.id] }),
  });
  if (order.status !== "placed" && order.status !== "paid") return give.isError ? <ProblemNote error={give.error} /> : null;
  if (!asks) {
    return (
      <button className="button button-quiet" type="button" onClick={() => setAsks(true)}>
        Cancel the order
      </button>
    );
  }
  return (
    <form
      className="note ask"
      aria-label="Cancel the order"
      onSubmit={(event) => {
        event.preventDefault();
        give.mutate();
      }}
    >
      <Field label="Why" name="reason" maxLength={500} autoFocus value={reason} onChange={(event) => setReason(event.target.value)} />
      <p className="step-hint">Nothing is sent then, and the money is given back.</p>
      {give.isError ? <ProblemNote error={give.error} /> : null}
      <p className="actions">
        <button className="button button-bad" type="submit" disabled={give.isPending}>
          {give.isPending ? "Cancelling…" : "Yes, cancel it"}
        </button>
        <button className="button button-quiet" type="button" onClick={() => setAsks(false)}>
          Keep it
        </button>
      </p>
    </form>
  );
}
