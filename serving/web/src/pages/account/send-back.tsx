import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sendBack } from "../../api/checkout";
import type { NewReturn, Order } from "../../api/schema";
import { uuid } from "../../lib/id";
import { intentions, type Intention } from "../../lib/intention";
import { MINE } from "../../shopping/session";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";

/** Units of each line that were sent and are not on their way back. */
export function returnable({ items, returns }: Order): { line_no: number; name: string; units: number }[] {
  const asked = new Map<number, number>();
  for (const { status, items: back } of returns) {
    if (status !== "refused") back.forEach(({ line_no, quantity }) => asked.set(line_no, (asked.get(line_no) ?? 0) + quantity));
  }
  return items
    .map(({ line_no, name, sku, shipped }) => ({ line_no, name: name ?? sku, units: shipped - (asked.get(line_no) ?? 0) }))
    .filter(({ units }) => units > 0);
}

/** Asks to give articles back that were sent. */
export function SendBack({ order }: { order: Order }) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  const [units, setUnits] = useState<Record<number, number>>({});
  const [attempts] = useState(() => intentions<NewReturn>(uuid));
  const ask = useMutation({
    mutationFn: ({ wanted, key }: Intention<NewReturn>) => sendBack(order.id, wanted, key),
    onSuccess: (changed) => {
      attempts.settle();
      setAsks(false);
      setUnits({});
      client.setQueryData([MINE, "order", order.id], changed);
    },
    onError: (error) => attempts.settle(error),
  });
  const lines = returnable(order);
  if (lines.length === 0) return null;
  if (!asks) {
    return (
      <button className="button button-quiet" type="button" onClick={() => setAsks(true)}>
        Send something back
      </button>
    );
  }
  const items = lines.map(({ line_no }) => ({ line_no, quantity: units[line_no] ?? 0 })).filter(({ quantity }) => quantity > 0);
  return (
    <form
      className="note ask"
      aria-label="Send something back"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(attempts.of({ reason: reason.trim(), items }));
      }}
    >
      {lines.map(({ line_no, name, units: most }) => (
        <label key={line_no} className="ask-line">
          <span>{name}</span>
          <select value={units[line_no] ?? 0} onChange={(event) => setUnits({ ...units, [line_no]: Number(event.target.value) })}>
            {Array.from({ length: most + 1 }, (_, quantity) => (
              <option key={quantity} value={quantity}>
                {quantity === 0 ? "none" : quantity}
              </option>
            ))}
          </select>
        </label>
      ))}
      <Field label="Why" name="reason" maxLength={500} required value={reason} onChange={(event) => setReason(event.target.value)} />
      {ask.isError ? <ProblemNote error={ask.error} /> : null}
      <p className="actions">
        <button className="button" type="submit" disabled={ask.isPending || items.length === 0}>
          {ask.isPending ? "Asking…" : "Ask to send it back"}
        </button>
        <button className="button button-quiet" type="button" onClick={() => setAsks(false)}>
          Keep it
        </button>
      </p>
    </form>
  );
}
