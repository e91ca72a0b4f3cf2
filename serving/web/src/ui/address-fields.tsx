import { useId } from "react";
import type { PostalAddress } from "../api/schema";
import { COUNTRIES } from "../shopping/countries";
import { Field, Labelled } from "./field";

interface AddressFieldsProps {
  address: PostalAddress;
  onChange: (address: PostalAddress) => void;
  faults: ReadonlyMap<string, string>;
  /** What stands before the names of the fields in `faults`. */
  path?: string;
}

export const noAddress = (country: string): PostalAddress => ({
  recipient: "",
  address_line_1: "",
  address_line_2: null,
  city: "",
  state_province: null,
  postal_code: "",
  country,
});

/** The fields of a postal address, named so that browsers can fill them in. */
export function AddressFields({ address, onChange, faults, path = "" }: AddressFieldsProps) {
  const id = useId();
  const text = (name: "recipient" | "address_line_1" | "city" | "postal_code") => ({
    name,
    value: address[name],
    required: true,
    fault: faults.get(path + name),
    onChange: (event: { target: { value: string } }) => onChange({ ...address, [name]: event.target.value }),
  });
  const optional = (name: "address_line_2" | "state_province") => ({
    name,
    value: address[name] ?? "",
    fault: faults.get(path + name),
    onChange: (event: { target: { value: string } }) => onChange({ ...address, [name]: event.target.value || null }),
  });
  return (
    <div className="fields">
      <Field label="Name" autoComplete="name" maxLength={200} className="field-wide" {...text("recipient")} />
      <Field label="Street and number" autoComplete="address-line1" maxLength={255} className="field-wide" {...text("address_line_1")} />
      <Field label="Flat, floor" autoComplete="address-line2" maxLength={255} className="field-wide" {...optional("address_line_2")} />
      <Field label="Postcode" autoComplete="postal-code" maxLength={20} {...text("postal_code")} />
      <Field label="Town" autoComplete="address-level2" maxLength={100} {...text("city")} />
      <Field label="State or province" autoComplete="address-level1" maxLength={100} {...optional("state_province")} />
      <Labelled id={id} label="Country" fault={faults.get(`${path}country`)}>
        <select
          id={id}
          name="country"
          autoComplete="country-name"
          value={address.country}
          onChange={(event) => onChange({ ...address, country: event.target.value })}
        >
          {COUNTRIES.some(({ value }) => value === address.country) ? null : <option>{address.country}</option>}
          {COUNTRIES.map(({ name, value }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </Labelled>
    </div>
  );
}

/** An address in lines, as on a letter. */
export function AddressLines({ address }: { address: PostalAddress }) {
  const { recipient, address_line_1, address_line_2, postal_code, city, state_province, country } = address;
  const name = COUNTRIES.find(({ value }) => value === country)?.name ?? country;
  return (
    <address className="address">
      {[recipient, address_line_1, address_line_2, `${postal_code} ${city}`, state_province, name]
        .filter((line) => line)
        .map((line) => (
          <span key={line}>{line}</span>
        ))}
    </address>
  );
}
