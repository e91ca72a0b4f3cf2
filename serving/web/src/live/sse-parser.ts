/** Server-sent events from text, as the HTML standard defines them (§ 9.2.6), fed in pieces of any size. */

export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

export interface SseParser {
  /** Takes the next piece of the stream and returns the events that it completes. */
  push(chunk: string): ServerEvent[];
  /** Milliseconds that the server asked to wait before connecting again, or null. */
  retryMs(): number | null;
}

export function sseParser(): SseParser {
  let rest = "";
  let started = false;
  let event = "";
  let data: string[] = [];
  let id = "";
  let retry: number | null = null;

  const line = (text: string, out: ServerEvent[]): void => {
    if (text === "") {
      if (data.length > 0) out.push({ event: event || "message", data: data.join("\n"), id });
      event = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return; // A comment: how servers keep the connection alive.
    const field = colon < 0 ? text : text.slice(0, colon);
    const raw = colon < 0 ? "" : text.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) retry = Number(value);
  };

  return {
    push(chunk) {
      const out: ServerEvent[] = [];
      let text = rest + chunk;
      if (!started && text !== "") {
        started = true;
        if (text.startsWith("\uFEFF")) text = text.slice(1);
      }
      let from = 0;
      for (let at = 0; at < text.length; at++) {
        const character = text[at];
        if (character === "\n") {
          line(text.slice(from, at), out);
          from = at + 1;
        } else if (character === "\r") {
          // The LF of a CRLF may only come with the next piece: wait for it.
          if (at + 1 === text.length) break;
          line(text.slice(from, at), out);
          if (text[at + 1] === "\n") at++;
          from = at + 1;
        }
      }
      rest = text.slice(from);
      return out;
    },
    retryMs: () => retry,
  };
}
