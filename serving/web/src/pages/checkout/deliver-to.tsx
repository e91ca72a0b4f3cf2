import type { Address, PostalAddress } from "../../api/schema";
import { AddressFields, AddressLines } from "../../ui/address-fields";

/** Where it goes: one of the account's addresses by its id, or one that is typed. */
export interface Delivery {
  id: string | null;
  typed: PostalAddress;
}

interface DeliverToProps {
  known: readonly Address[];
  delivery: Delivery;
  onChange: (delivery: Delivery) => void;
  faults: ReadonlyMap<string, string>;
}

export function DeliverTo({ known, delivery, onChange, faults }: DeliverToProps) {
  const { id, typed } = delivery;
  return (
    <>
      {known.length > 0 ? (
        <div className="options options-addresses">
          {known.map((address) => (
            <label key={address.id} className="option">
              <input type="radio" name="address" checked={id === address.id} onChange={() => onChange({ ...delivery, id: address.id })} />
              <AddressLines address={address} />
            </label>
          ))}
          <label className="option">
            <input type="radio" name="address" checked={id === null} onChange={() => onChange({ ...delivery, id: null })} />
            <span>Another address</span>
          </label>
        </div>
      ) : null}
      {id === null ? (
        <AddressFields address={typed} onChange={(next) => onChange({ id, typed: next })} faults={faults} path="shipping_address." />
      ) : null}
    </>
  );
}
