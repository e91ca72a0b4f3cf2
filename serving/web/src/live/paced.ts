/** Gathers what comes too fast to be drawn: the first at once, then all of `intervalMs` together. */
export interface Paced<T> {
  push(item: T): void;
  /** Drops what has not been delivered. */
  stop(): void;
}

export interface PacedOptions<T> {
  deliver: (items: T[]) => void;
  intervalMs: number;
  /** Runs `task` after that many ms. */
  later: (task: () => void, ms: number) => void;
}

export function paced<T>({ deliver, intervalMs, later }: PacedOptions<T>): Paced<T> {
  let kept: T[] = [];
  let resting = false;
  let stopped = false;
  const rest = () => {
    resting = true;
    later(() => {
      resting = false;
      if (stopped || kept.length === 0) return;
      const items = kept;
      kept = [];
      deliver(items);
      rest();
    }, intervalMs);
  };
  return {
    push(item) {
      if (stopped) return;
      if (resting) {
        kept.push(item);
      } else {
        deliver([item]);
        rest();
      }
    },
    stop() {
      stopped = true;
      kept = [];
    },
  };
}
