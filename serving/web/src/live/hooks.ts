/** React's side of the live streams. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useReducer, useRef, useState } from "react";
import { storesStream, view, viewStream } from "../api/operator";
import type { StoreStatus } from "../api/schema";
import type { Row } from "../api/types";
import { paced } from "./paced";
import { seeded } from "./seeded";
import { reduceStores, type StoreEntry } from "./stores-state";
import { openStream, type StreamState } from "./stream";
import { EMPTY, parseViewEvent, reduce, type ViewEvent, type ViewState } from "./view-state";

/** A replay changes a view many times a second; nobody reads faster than this. */
const DRAW_MS = 100;

export interface LiveView extends ViewState {
  connection: StreamState;
}

/**
 * Follows a live view change by change, beginning with its `newest` rows by primary key. Each one holds a connection of its
 * own: few per page.
 */
export function useLiveView(name: string, primaryKey: readonly string[], token: string, newest: number): LiveView {
  const key = useRef(primaryKey);
  const [state, apply] = useReducer((before: ViewState, events: readonly ViewEvent[]) => reduce(before, events, key.current), EMPTY);
  const [connection, setConnection] = useState<StreamState>({ kind: "connecting" });
  useEffect(() => {
    const closed = new AbortController();
    const later = (task: () => void, ms: number) => void window.setTimeout(() => !closed.signal.aborted && task(), ms);
    const drawn = paced({ deliver: apply, intervalMs: DRAW_MS, later });
    // A stream's own snapshot begins at the other end, so it is kept to a row and only says from where on changes come.
    const take = seeded({
      read: async () => {
        const page = await view(name, token, newest, { newest: true, signal: closed.signal });
        return { rows: page.rows, epoch: page.meta.epoch };
      },
      emit: drawn.push,
      later,
    });
    const close = openStream({
      url: viewStream(name, 1),
      token,
      onState: setConnection,
      onEvent: ({ event, data }) => {
        const parsed = parseViewEvent(event, data);
        if (parsed) take(parsed);
      },
    });
    return () => {
      closed.abort();
      drawn.stop();
      close();
    };
  }, [name, token, newest]);
  return useMemo(() => ({ ...state, connection }), [state, connection]);
}

export interface LiveStores {
  entries: readonly StoreEntry[];
  connection: StreamState;
  /** The last report's epoch of a store, or null. */
  epochOf: (store: string) => number | null;
}

/** Follows the state of every derived store, reported each second. */
export function useLiveStores(token: string): LiveStores {
  const [entries, report] = useReducer(
    (before: readonly StoreEntry[], stores: readonly StoreStatus[]): readonly StoreEntry[] => reduceStores(before, stores),
    [],
  );
  const [connection, setConnection] = useState<StreamState>({ kind: "connecting" });
  useEffect(
    () =>
      openStream({
        url: storesStream(),
        token,
        onState: setConnection,
        onEvent: ({ data }) => {
          const { stores } = JSON.parse(data) as { stores?: StoreStatus[] };
          if (stores) report(stores);
        },
      }),
    [token],
  );
  return useMemo(() => {
    const epochs = new Map(entries.map(({ status }) => [status.store, status.epoch]));
    return { entries, connection, epochOf: (store) => epochs.get(store) ?? null };
  }, [entries, connection]);
}

/** How soon a view is read anew after its store has moved on. */
const FOLLOW_MS = 400;

/**
 * The rows of a view, read anew when the stores' report says that it has moved on: as fresh as a stream to within a second or
 * two, without a connection for each of a page's tables. A read under way is never given up for a newer one.
 */
export function useFollowedView(name: string, token: string, epoch: number | null, limit: number): FollowedView {
  const query = useQuery({
    queryKey: ["view", name, limit],
    queryFn: ({ signal }) => view(name, token, limit, { signal }),
    refetchInterval: ({ state }) => (epoch !== null && (state.data?.meta.epoch ?? -1) < epoch ? FOLLOW_MS : false),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { rows: query.data?.rows ?? [], loading: query.isPending, error: query.error };
}

export interface FollowedView {
  rows: readonly Row[];
  loading: boolean;
  error: Error | null;
}
