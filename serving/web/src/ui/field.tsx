import { useId, type InputHTMLAttributes, type ReactNode } from "react";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  name: string;
  hint?: string | undefined;
  /** What the server says is wrong with it. */
  fault?: string | undefined;
}

/** An input with its label, and what is wrong with it beside it. */
export function Field({ label, hint, fault, className, ...input }: FieldProps) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} fault={fault} className={className} optional={!input.required}>
      <input {...input} id={id} aria-invalid={fault ? true : undefined} aria-describedby={hint || fault ? `${id}-help` : undefined} />
    </Labelled>
  );
}

interface LabelledProps {
  id: string;
  label: string;
  hint?: string | undefined;
  fault?: string | undefined;
  className?: string | undefined;
  optional?: boolean;
  children: ReactNode;
}

export function Labelled({ id, label, hint, fault, className, optional = false, children }: LabelledProps) {
  return (
    <div className={`field${className ? ` ${className}` : ""}`}>
      <label htmlFor={id}>
        {label}
        {optional ? <span className="field-optional"> (optional)</span> : null}
      </label>
      {children}
      {fault || hint ? (
        <p className={fault ? "field-error" : "field-hint"} id={`${id}-help`}>
          {fault ?? hint}
        </p>
      ) : null}
    </div>
  );
}
