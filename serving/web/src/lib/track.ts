/** The page's event queue, bound to the browser. */
import { address } from "../api/send";
import { sendEvents } from "../api/shop";
import { eventQueue } from "./events";
import { sessionId, uuid } from "./id";

const queue = eventQueue({
  send: sendEvents,
  beacon: (events) => navigator.sendBeacon(address("/events"), new Blob([JSON.stringify({ events })], { type: "application/json" })),
  schedule: (flush, ms) => void window.setTimeout(flush, ms),
  sessionId,
  eventId: uuid,
  now: () => new Date(),
});

document.addEventListener("visibilitychange", () => document.hidden && queue.leave());
window.addEventListener("pagehide", () => queue.leave());

export const track = queue.record;

/** Sends what waits, so that what is asked for next already counts it. Never fails: what could not be sent stays in the queue. */
export const flushEvents = queue.flush;
