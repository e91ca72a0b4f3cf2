import type { Meta } from "../api/schema";
import { age } from "../lib/format";

/** How old what is shown is: the shop's promise, kept in sight. */
export function Freshness({ meta, what }: { meta: Meta | undefined; what: string }) {
  if (!meta) return null;
  return (
    <span className="freshness" title={`${meta.store}, epoch ${meta.epoch}`}>
      {what} {age(meta.age_ms)}
    </span>
  );
}
