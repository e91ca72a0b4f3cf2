/** What shoppers do, told to the shop: gathered, sent in batches, not lost when a send fails or the page is left. */
import { Problem } from "../api/problem";
import type { EventType, ShopEvent } from "../api/types";

export interface EventQueueOptions {
  /** Sends a batch; rejects when it was not accepted. */
  send: (events: ShopEvent[]) => Promise<void>;
  /** Hands a batch to the browser to send after the page is gone; false when it takes no more. */
  beacon: (events: ShopEvent[]) => boolean;
  /** Runs `flush` after that many ms. */
  schedule: (flush: () => void, ms: number) => void;
  sessionId: () => string;
  eventId: () => string;
  now: () => Date;
}

export interface EventQueue {
  record(type: EventType, about: { sku?: string; query?: string }): void;
  flush(): Promise<void>;
  /** Sends all that waits by beacon: the page is being left. */
  leave(): void;
  waiting(): number;
}

const BATCH = 50;
const GATHER_MS = 1_500;
const LONGEST_PAUSE_MS = 60_000;
/** Past this the oldest are dropped: a shop that is away for long must not fill the shopper's memory. */
const CAPACITY = 500;

export function eventQueue(options: EventQueueOptions): EventQueue {
  let queue: ShopEvent[] = [];
  let scheduled = false;
  let sending = false;
  let failures = 0;

  const plan = () => {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    const pause = Math.min(LONGEST_PAUSE_MS, GATHER_MS * 2 ** failures);
    options.schedule(() => {
      scheduled = false;
      void flush();
    }, pause);
  };

  const flush = async () => {
    if (sending || queue.length === 0) return;
    sending = true;
    const batch = queue.slice(0, BATCH);
    queue = queue.slice(BATCH);
    try {
      await options.send(batch);
      failures = 0;
    } catch (error) {
      // Refused for what it says: sending it again would be refused again. Otherwise it goes back, under the same event ids.
      if (!(error instanceof Problem) || error.transient) {
        failures = Math.min(failures + 1, 10);
        queue = [...batch, ...queue].slice(-CAPACITY);
      }
    } finally {
      sending = false;
      plan();
    }
  };

  return {
    record(type, about) {
      const event: ShopEvent = {
        event_id: options.eventId(),
        type,
        session_id: options.sessionId(),
        ...(about.sku ? { sku: about.sku } : {}),
        ...(about.query ? { query: about.query } : {}),
        occurred_at: options.now().toISOString(),
      };
      queue = [...queue, event].slice(-CAPACITY);
      plan();
    },
    flush,
    leave() {
      while (queue.length > 0 && options.beacon(queue.slice(0, BATCH))) queue = queue.slice(BATCH);
    },
    waiting: () => queue.length,
  };
}
