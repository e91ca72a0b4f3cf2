/**
 * A view whose rows are read apart from its stream of changes. The read begins after the stream has, so it is at least as new
 * as the stream's beginning: changes up to its epoch are in it, and later ones have been kept meanwhile. None is missed,
 * none counts twice.
 */
import type { Row } from "../api/types";
import type { ViewEvent } from "./view-state";

export interface SeedOptions {
  read: () => Promise<{ rows: Row[]; epoch: number }>;
  emit: (event: ViewEvent) => void;
  /** Runs `retry` after that many ms. */
  later: (retry: () => void, ms: number) => void;
}

const RETRY_MS = 1_000;

/** Takes the events of the stream. Each snapshot in it means: the changes begin anew, read the rows again. */
export function seeded({ read, emit, later }: SeedOptions): (event: ViewEvent) => void {
  /** Changes since the stream began; null once the rows are in. */
  let kept: ViewEvent[] | null = [];
  let beginning = 0;

  const seed = (of: number) => {
    read().then(
      ({ rows, epoch }) => {
        if (of !== beginning) return;
        emit({ kind: "snapshot", rows, epoch });
        for (const event of kept ?? []) emit(event);
        kept = null;
      },
      () => of === beginning && later(() => of === beginning && seed(of), RETRY_MS),
    );
  };

  return (event) => {
    if (event.kind === "snapshot") {
      kept = [];
      seed(++beginning);
    } else if (kept) {
      kept.push(event);
    } else {
      emit(event);
    }
  };
}
