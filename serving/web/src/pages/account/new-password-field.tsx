import { Field } from "../../ui/field";

const SHORTEST = 10;

/** A password to be; the server has the last word on it. */
export function NewPasswordField({
  value,
  onChange,
  fault,
}: {
  value: string;
  onChange: (value: string) => void;
  fault: string | undefined;
}) {
  return (
    <Field
      label="New password"
      type="password"
      name="new-password"
      autoComplete="new-password"
      minLength={SHORTEST}
      maxLength={128}
      required
      hint={`At least ${SHORTEST} characters; a few words in a row are easy to keep.`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      fault={fault}
    />
  );
}
