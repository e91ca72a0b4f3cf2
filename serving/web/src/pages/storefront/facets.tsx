import { useEffect, useState } from "react";
import type { Facet, SearchResults } from "../../api/schema";
import { count } from "../../lib/format";
import { useMedia } from "../../lib/use-media";
import { CloseIcon } from "../../ui/icons";
import { fromParams, type ShopQuery } from "./query";

interface FacetsProps {
  facets: SearchResults["facets"] | undefined;
  query: ShopQuery;
  onChange: (part: Partial<ShopQuery>) => void;
}

/** The filters: beside the hits where there is room, else folded away above them. */
export function Facets(props: FacetsProps) {
  const beside = useMedia("(min-width: 56.01rem)");
  return (
    <aside className="facets" aria-label="Filters">
      <Chosen {...props} />
      {beside ? (
        <Choices {...props} />
      ) : (
        <details className="filters">
          <summary>Filters</summary>
          <Choices {...props} />
        </details>
      )}
    </aside>
  );
}

function Choices({ facets, query, onChange }: FacetsProps) {
  return (
    <>
      <FacetList
        title="Category"
        name="category"
        values={facets?.category ?? []}
        chosen={query.category}
        onChoose={(category) => onChange({ category })}
      />
      <FacetList title="Brand" name="brand" values={facets?.brand ?? []} chosen={query.brand} onChoose={(brand) => onChange({ brand })} />
      <PriceRange query={query} onChange={onChange} />
      <label className="toggle">
        <input type="checkbox" checked={query.stocked} onChange={(event) => onChange({ stocked: event.target.checked })} />
        <span>Only what is in stock</span>
      </label>
    </>
  );
}

function Chosen({ query, onChange }: Omit<FacetsProps, "facets">) {
  const chips: { text: string; remove: Partial<ShopQuery> }[] = [];
  if (query.category) chips.push({ text: query.category, remove: { category: null } });
  if (query.brand) chips.push({ text: query.brand, remove: { brand: null } });
  if (query.min !== null || query.max !== null) {
    const text = query.max === null ? `From £${query.min}` : query.min === null ? `Up to £${query.max}` : `£${query.min} – £${query.max}`;
    chips.push({ text, remove: { min: null, max: null } });
  }
  if (query.stocked) chips.push({ text: "In stock", remove: { stocked: false } });
  if (chips.length === 0) return null;
  return (
    <ul className="chips" aria-label="Filters in use">
      {chips.map(({ text, remove }) => (
        <li key={text}>
          <button className="chip chip-on" type="button" onClick={() => onChange(remove)} aria-label={`Remove the filter ${text}`}>
            {text}
            <CloseIcon size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
}

const SHOWN = 8;

interface FacetListProps {
  title: string;
  name: string;
  values: Facet[];
  chosen: string | null;
  onChoose: (value: string | null) => void;
}

function FacetList({ title, name, values, chosen, onChoose }: FacetListProps) {
  const [all, setAll] = useState(false);
  // A chosen value stays in sight even when nothing is left under it.
  const known = chosen !== null && !values.some(({ value }) => value === chosen) ? [{ value: chosen, count: 0 }, ...values] : values;
  if (known.length === 0) return null;
  const shown = all ? known : known.slice(0, SHOWN);
  return (
    <details className="facet" open>
      <summary>{title}</summary>
      <ul data-facet={name}>
        {shown.map(({ value, count: number }) => (
          <li key={value}>
            <button
              className="facet-value"
              type="button"
              aria-pressed={value === chosen}
              onClick={() => onChoose(value === chosen ? null : value)}
            >
              <span>{value}</span>
              <span className="facet-count">{count(number)}</span>
            </button>
          </li>
        ))}
      </ul>
      {known.length > SHOWN ? (
        <button className="link-button" type="button" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${known.length}`}
        </button>
      ) : null}
    </details>
  );
}

function PriceRange({ query, onChange }: Omit<FacetsProps, "facets">) {
  const [min, setMin] = useState(query.min?.toString() ?? "");
  const [max, setMax] = useState(query.max?.toString() ?? "");
  useEffect(() => {
    setMin(query.min?.toString() ?? "");
    setMax(query.max?.toString() ?? "");
  }, [query.min, query.max]);
  const read = fromParams(new URLSearchParams({ min, max }));
  const crossed = read.min !== null && read.max !== null && read.min > read.max;
  return (
    <details className="facet" open>
      <summary>Price</summary>
      <form
        className="price-range"
        onSubmit={(event) => {
          event.preventDefault();
          if (!crossed) onChange({ min: read.min, max: read.max });
        }}
      >
        <label>
          <span className="visually-hidden">Lowest price in pounds</span>
          <input
            inputMode="decimal"
            placeholder="£ min"
            value={min}
            onChange={(event) => setMin(event.target.value)}
            aria-invalid={crossed}
          />
        </label>
        <span aria-hidden="true">–</span>
        <label>
          <span className="visually-hidden">Highest price in pounds</span>
          <input
            inputMode="decimal"
            placeholder="£ max"
            value={max}
            onChange={(event) => setMax(event.target.value)}
            aria-invalid={crossed}
          />
        </label>
        <button className="button button-quiet button-small" type="submit">
          Set
        </button>
      </form>
      {crossed ? <p className="field-error">The lowest price is above the highest.</p> : null}
    </details>
  );
}
