/**
 * A server-sent event stream over `fetch`, because `EventSource` cannot send the operator's token. Connects again with a
 * growing, jittered pause, and lets go of the connection while the page is hidden: a browser opens six to a host at most.
 */
import { send } from "../api/send";
import { Problem } from "../api/problem";
import { sseParser, type ServerEvent } from "./sse-parser";

export type StreamState =
  | { kind: "connecting" }
  | { kind: "open" }
  /** Lost; tries again by itself in `retryInMs`. */
  | { kind: "waiting"; problem: Problem; retryInMs: number }
  /** The token is not accepted: trying again would not help. */
  | { kind: "denied"; problem: Problem };

export interface StreamOptions {
  url: string;
  token: string;
  onEvent: (event: ServerEvent) => void;
  onState: (state: StreamState) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Silence after which the connection counts as dead; servers send something at least each 15 s. */
const SILENCE_MS = 45_000;

/** The pause before attempt `attempt` (0 = first retry): doubles up to a limit; `random` in [0, 1) spreads clients out. */
export function pauseMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + random / 2));
}

/** Opens the stream; the function returned closes it for good. */
export function openStream(options: StreamOptions): () => void {
  const closed = new AbortController();
  void run(options, closed.signal);
  return () => closed.abort();
}

async function run({ url, token, onEvent, onState }: StreamOptions, closed: AbortSignal): Promise<void> {
  let failures = 0;
  while (!closed.aborted) {
    await visible(closed);
    if (closed.aborted) return;
    onState({ kind: "connecting" });
    const connection = new AbortController();
    const abort = () => connection.abort();
    const hide = () => document.hidden && connection.abort();
    closed.addEventListener("abort", abort);
    document.addEventListener("visibilitychange", hide);
    let problem = new Problem(0, "The live connection was closed");
    try {
      await read(
        url,
        token,
        connection,
        (event) => {
          if (closed.aborted) return;
          failures = 0;
          onEvent(event);
        },
        () => !closed.aborted && onState({ kind: "open" }),
      );
    } catch (error) {
      if (error instanceof Problem) problem = error;
    } finally {
      closed.removeEventListener("abort", abort);
      document.removeEventListener("visibilitychange", hide);
      connection.abort();
    }
    if (closed.aborted) return;
    if (problem.status === 401 || problem.status === 403) {
      onState({ kind: "denied", problem });
      return;
    }
    if (document.hidden) continue;
    const retryInMs = problem.retryAfterMs ?? pauseMs(failures++, Math.random());
    onState({ kind: "waiting", problem, retryInMs });
    await sleep(retryInMs, closed);
  }
}

async function read(
  url: string,
  token: string,
  connection: AbortController,
  onEvent: (event: ServerEvent) => void,
  onOpen: () => void,
): Promise<void> {
  const response = await send(url, {
    token,
    signal: connection.signal,
    headers: { accept: "text/event-stream, application/problem+json" },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  onOpen();
  const parser = sseParser();
  let watchdog = 0;
  const alive = () => {
    window.clearTimeout(watchdog);
    watchdog = window.setTimeout(() => connection.abort(), SILENCE_MS);
  };
  try {
    for (;;) {
      alive();
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parser.push(value)) onEvent(event);
    }
  } finally {
    window.clearTimeout(watchdog);
  }
}

function visible(closed: AbortSignal): Promise<void> {
  return until(closed, (done) => {
    if (!document.hidden) return done();
    const check = () => !document.hidden && done();
    document.addEventListener("visibilitychange", check);
    return () => document.removeEventListener("visibilitychange", check);
  });
}

function sleep(ms: number, closed: AbortSignal): Promise<void> {
  return until(closed, (done) => {
    const timer = window.setTimeout(done, ms);
    return () => window.clearTimeout(timer);
  });
}

/** Resolves when `arm` says so or the signal aborts, whichever is first; what `arm` returns is undone then. */
function until(closed: AbortSignal, arm: (done: () => void) => (() => void) | void): Promise<void> {
  return new Promise((resolve) => {
    let undo: (() => void) | void;
    const done = () => {
      closed.removeEventListener("abort", done);
      undo?.();
      resolve();
    };
    closed.addEventListener("abort", done);
    undo = arm(done);
  });
}
