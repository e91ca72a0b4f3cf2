import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { addresses as loadAddresses, removeAddress, saveAddress } from "../../api/account";
import type { Address, AddressType, PostalAddress } from "../../api/schema";
import { faultsOf } from "../../lib/faults";
import { MINE } from "../../shopping/session";
import { AddressFields, AddressLines, noAddress } from "../../ui/address-fields";
import { ProblemNote } from "../../ui/problem-note";

const KEY = [MINE, "addresses"];
const TYPES: Record<AddressType, string> = { shipping: "For deliveries", billing: "For bills", home: "Home", work: "Work" };

/** One's addresses; one default of each type. */
export function Addresses() {
  const result = useQuery({ queryKey: KEY, queryFn: ({ signal }) => loadAddresses(signal) });
  const [edited, setEdited] = useState<Address | "new" | null>(null);
  return (
    <>
      <h1>Addresses</h1>
      {result.isError && !result.data ? <ProblemNote error={result.error} onRetry={() => void result.refetch()} /> : null}
      {result.isPending ? <p className="bone" role="status" aria-label="Loading your addresses" /> : null}
      {result.data?.length === 0 && edited === null ? (
        <div className="note">
          <p>You have no address here yet. One that you keep is there to choose at the checkout.</p>
        </div>
      ) : null}
      <ul className="address-list" data-testid="addresses">
        {result.data?.map((address) => (
          <li key={address.id} className="note">
            <Known address={address} onEdit={() => setEdited(address)} />
          </li>
        ))}
      </ul>
      {edited === null ? (
        <button className="button" type="button" onClick={() => setEdited("new")}>
          Add an address
        </button>
      ) : (
        <Edited key={edited === "new" ? "new" : edited.id} was={edited === "new" ? null : edited} onDone={() => setEdited(null)} />
      )}
    </>
  );
}

function Known({ address, onEdit }: { address: Address; onEdit: () => void }) {
  const client = useQueryClient();
  const done = () => client.invalidateQueries({ queryKey: KEY });
  const remove = useMutation({ mutationFn: () => removeAddress(address.id), onSuccess: done });
  const appoint = useMutation({ mutationFn: () => saveAddress({ ...fields(address), is_default: true }, address.id), onSuccess: done });
  const busy = remove.isPending || appoint.isPending;
  const failed = remove.error ?? appoint.error;
  return (
    <>
      <p className="order-when">
        {TYPES[address.address_type]}
        {address.is_default ? ", the usual one" : ""}
      </p>
      <AddressLines address={address} />
      {failed ? <ProblemNote error={failed} /> : null}
      <p className="actions">
        <button className="link-button" type="button" onClick={onEdit}>
          Change
        </button>
        {address.is_default ? null : (
          <button className="link-button" type="button" disabled={busy} onClick={() => appoint.mutate()}>
            Make it the usual one
          </button>
        )}
        <button className="link-button" type="button" disabled={busy} onClick={() => remove.mutate()}>
          Remove
        </button>
      </p>
    </>
  );
}

function Edited({ was, onDone }: { was: Address | null; onDone: () => void }) {
  const client = useQueryClient();
  const [type, setType] = useState<AddressType>(was?.address_type ?? "shipping");
  const [address, setAddress] = useState<PostalAddress>(was ? postal(was) : noAddress("United Kingdom"));
  const save = useMutation({
    mutationFn: () => saveAddress({ ...address, address_type: type, is_default: was?.is_default ?? false }, was?.id ?? null),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: KEY });
    },
  });
  const faults = faultsOf(save.error);
  return (
    <form
      className="note ask"
      aria-label={was ? "Change the address" : "A new address"}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <label className="field">
        <span>What it is for</span>
        <select value={type} onChange={(event) => setType(event.target.value as AddressType)}>
          {Object.entries(TYPES).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <AddressFields address={address} onChange={setAddress} faults={faults} />
      {save.isError && faults.size === 0 ? <ProblemNote error={save.error} /> : null}
      <p className="actions">
        <button className="button" type="submit" disabled={save.isPending}>
          {save.isPending ? "Saving…" : "Save"}
        </button>
        <button className="button button-quiet" type="button" onClick={onDone}>
          Leave it
        </button>
      </p>
    </form>
  );
}

const postal = ({ recipient, address_line_1, address_line_2, city, state_province, postal_code, country }: Address): PostalAddress => ({
  recipient,
  address_line_1,
  address_line_2: address_line_2 ?? null,
  city,
  state_province: state_province ?? null,
  postal_code,
  country,
});
const fields = (address: Address) => ({ ...postal(address), address_type: address.address_type });
