import { NOTHING, toPath } from "../storefront/query";
import { Link } from "../../router";

/** A product by its SKU: the rows of the views know no product id, the search finds it. */
export function SkuLink({ sku, name }: { sku: string; name: string | null }) {
  return (
    <Link className="sku-link" to={toPath({ ...NOTHING, q: sku })} title={sku}>
      {name ?? sku}
    </Link>
  );
}
