import type { Status } from "../../api/schema";

export const STATUS: Record<Status, { words: string; kind: "live" | "behind" | "error" }> = {
  placed: { words: "Placed", kind: "behind" },
  paid: { words: "Paid", kind: "live" },
  partially_shipped: { words: "Partly on its way", kind: "behind" },
  shipped: { words: "On its way", kind: "behind" },
  delivered: { words: "Delivered", kind: "live" },
  cancelled: { words: "Cancelled", kind: "error" },
  returned: { words: "Returned", kind: "error" },
};

export function StatusPill({ status }: { status: Status }) {
  const { words, kind } = STATUS[status];
  return (
    <span className={`pill pill-plain pill-${kind}`} data-status={status}>
      {words}
    </span>
  );
}
