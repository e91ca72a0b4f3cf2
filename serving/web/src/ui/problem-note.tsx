import type { ReactNode } from "react";
import { Problem } from "../api/problem";

interface ProblemNoteProps {
  error: unknown;
  onRetry?: () => void;
  /** What to do about it. */
  children?: ReactNode;
}

/** A failed request in sentences, with a way to try again. */
export function ProblemNote({ error, onRetry, children }: ProblemNoteProps) {
  const problem =
    error instanceof Problem ? error : new Problem(0, "Something went wrong on this page", error instanceof Error ? error.message : null);
  return (
    <div className="note note-problem" role="alert" data-testid="problem">
      <strong>{problem.title}</strong>
      {problem.detail ? <p>{problem.detail}</p> : null}
      {children}
      {onRetry ? (
        <button className="button button-quiet" type="button" onClick={onRetry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
