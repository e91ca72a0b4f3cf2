/** A value that this tab keeps over reloads. */
import { useCallback, useSyncExternalStore } from "react";
import { signal } from "./signal";

export interface Stored<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

/** `read` makes sense of what is there, which may be from an older version of the page, or nothing. */
export function stored<T>(key: string, read: (kept: unknown) => T): Stored<T> {
  const changed = signal();
  let text: string | null = null;
  let value = read(null);
  return {
    get() {
      const now = sessionStorage.getItem(key);
      if (now !== text) {
        text = now;
        value = read(parse(now));
      }
      return value;
    },
    set(next) {
      sessionStorage.setItem(key, JSON.stringify(next));
      changed.tell();
    },
    subscribe: changed.subscribe,
  };
}

export function useStored<T>(place: Stored<T>): [T, (value: T) => void] {
  const value = useSyncExternalStore(place.subscribe, place.get);
  return [value, useCallback((next: T) => place.set(next), [place])];
}

function parse(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}
