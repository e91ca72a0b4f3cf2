/** What a live view holds: a snapshot, then changes by epoch. Applying an epoch twice changes nothing. */
import type { Row } from "../api/types";

export interface ViewState {
  /** Null until the first snapshot. */
  epoch: number | null;
  /** Commit time of the last change applied, in ms since 1970. */
  committedMs: number | null;
  rows: ReadonlyMap<string, Row>;
}

export type ViewEvent =
  | { kind: "snapshot"; rows: Row[]; epoch: number }
  | { kind: "changes"; epoch: number; committedMs: number | null; upserts: Row[]; deletes: Row[] };

export const EMPTY: ViewState = { epoch: null, committedMs: null, rows: new Map() };

/** A row's primary key as text; two different keys never give the same text. */
export function keyOf(row: Row, primaryKey: readonly string[]): string {
  return JSON.stringify(primaryKey.map((column) => row[column] ?? null));
}

/** Applies events in their order; the state given is left as it was. */
export function reduce(state: ViewState, events: readonly ViewEvent[], primaryKey: readonly string[]): ViewState {
  return events.reduce((before, event) => applied(before, event, primaryKey), state);
}

function applied(state: ViewState, event: ViewEvent, primaryKey: readonly string[]): ViewState {
  if (event.kind === "snapshot") {
    return { epoch: event.epoch, committedMs: state.committedMs, rows: new Map(event.rows.map((row) => [keyOf(row, primaryKey), row])) };
  }
  // Changes without the snapshot that they build on, or of an epoch that is already in: neither may be applied.
  if (state.epoch === null || event.epoch <= state.epoch) return state;
  const rows = new Map(state.rows);
  for (const row of event.deletes) rows.delete(keyOf(row, primaryKey));
  for (const row of event.upserts) rows.set(keyOf(row, primaryKey), row);
  return { epoch: event.epoch, committedMs: event.committedMs, rows };
}

/** Reads an event of `/api/v1/views/{name}/stream`; null for those that are not known here. */
export function parseViewEvent(name: string, data: string): ViewEvent | null {
  if (name !== "snapshot" && name !== "changes") return null;
  const body = JSON.parse(data) as Record<string, unknown>;
  const rowsOf = (field: string): Row[] => (Array.isArray(body[field]) ? (body[field] as Row[]) : []);
  const epoch = typeof body.epoch === "number" ? body.epoch : 0;
  if (name === "snapshot") return { kind: "snapshot", rows: rowsOf("rows"), epoch };
  const committedMs = typeof body.committed_ms === "number" ? body.committed_ms : null;
  return { kind: "changes", epoch, committedMs, upserts: rowsOf("upserts"), deletes: rowsOf("deletes") };
}
