import { Problem } from "../api/client";

/** A failed request in sentences, with a way to try again. */
export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem =
    error instanceof Problem ? error : new Problem(0, "Something went wrong on this page", error instanceof Error ? error.message : null);
  return (
    <div className="note note-problem" role="alert" data-testid="problem">
      <strong>{problem.title}</strong>
      {problem.detail ? <p>{problem.detail}</p> : null}
      {onRetry ? (
        <button className="button button-quiet" type="button" onClick={onRetry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
