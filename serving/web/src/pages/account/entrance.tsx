import type { FormEvent, ReactNode } from "react";

interface EntranceProps {
  title: string;
  hint?: ReactNode;
  /** What the button says, and while it works. */
  action: string;
  working: string;
  isPending: boolean;
  onSubmit: () => void;
  children?: ReactNode;
  /** Below the form. */
  others?: ReactNode;
}

/** A small form in the middle of the page: log in, register, and the like. */
export function Entrance({ title, hint, action, working, isPending, onSubmit, children, others }: EntranceProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isPending) onSubmit();
  };
  return (
    <section className="entrance">
      <h1>{title}</h1>
      {hint ? <p className="step-hint">{hint}</p> : null}
      <form onSubmit={submit}>
        {children}
        <button className="button button-wide" type="submit" disabled={isPending}>
          {isPending ? working : action}
        </button>
      </form>
      {others ? <p className="entrance-others">{others}</p> : null}
    </section>
  );
}
