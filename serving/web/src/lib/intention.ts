/** One key for one intention: what is sent again after a lost answer carries the key that it had, and is done once. */
import { Problem } from "../api/problem";

/** Whether a request may have been carried out although no answer says so: then it has to be sent again as it was. */
export const isUndecided = (error: unknown): boolean => !(error instanceof Problem) || error.transient || error.status >= 500;

export interface Intention<T> {
  wanted: T;
  key: string;
}

/** Holds what was sent and not answered yet. */
export function intentions<T>(newKey: () => string) {
  let open: Intention<T> | null = null;
  return {
    /** What to send: the open intention if it is the same, else a new one. */
    of(wanted: T): Intention<T> {
      if (!open || JSON.stringify(open.wanted) !== JSON.stringify(wanted)) open = { wanted, key: newKey() };
      return open;
    },
    /** It was answered: what is sent next is something new, unless nobody knows what became of it. */
    settle(error: unknown = null): void {
      if (error === null || !isUndecided(error)) open = null;
    },
  };
}
