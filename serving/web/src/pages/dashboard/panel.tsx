import { useId, type ReactNode } from "react";

interface PanelProps {
  title: string;
  aside?: ReactNode;
  className?: string;
  /** For links to it. */
  id?: string;
  children: ReactNode;
}

export function Panel({ title, aside, className = "", id, children }: PanelProps) {
  const heading = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={heading} id={id}>
      <div className="panel-head">
        <h2 id={heading}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** What stands where rows will be. */
export function NoRows({ loading, error, children }: { loading: boolean; error?: Error | null; children: ReactNode }) {
  if (error) return <p className="panel-empty field-error">{error.message}</p>;
  return <p className="panel-empty">{loading ? "Loading…" : children}</p>;
}
