import type { Product } from "../../api/schema";
import { cents } from "../../lib/format";
import { common, distinction, hasChoice } from "./attributes";

interface VariantsProps {
  product: Product;
  chosen: string;
  onChoose: (sku: string) => void;
}

/** The product as it stands and its variants, each a unit of its own with its own stock; nothing where there is no choice. */
export function Variants({ product, chosen, onChoose }: VariantsProps) {
  const { variants } = product;
  if (!hasChoice(product)) return null;
  const others = variants.filter(({ sku }) => sku !== product.sku);
  return (
    <fieldset className="variants">
      <legend>Version</legend>
      <div className="variant-list">
        <Choice sku={product.sku} name="Standard" chosen={chosen === product.sku} onChoose={onChoose} />
        {others.map((variant) => (
          <Choice
            key={variant.sku}
            sku={variant.sku}
            name={distinction(variant, variants) ?? variant.sku}
            price={
              (variant.price_cents ?? product.price_cents) !== product.price_cents
                ? cents(variant.price_cents ?? product.price_cents, product.currency)
                : undefined
            }
            chosen={chosen === variant.sku}
            onChoose={onChoose}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** What holds for every variant. */
export function Facts({ product }: { product: Product }) {
  const facts = common(product.variants);
  if (facts.length === 0) return null;
  return (
    <dl className="facts">
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface ChoiceProps {
  sku: string;
  name: string;
  price?: string | undefined;
  chosen: boolean;
  onChoose: (sku: string) => void;
}

function Choice({ sku, name, price, chosen, onChoose }: ChoiceProps) {
  return (
    <label className="variant">
      <input type="radio" name="variant" value={sku} checked={chosen} onChange={() => onChoose(sku)} />
      <span>{name}</span>
      {price ? <span className="variant-price">{price}</span> : null}
    </label>
  );
}
