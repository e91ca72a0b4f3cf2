/** Refusals and failures, as one kind of error. */

/** An RFC 9457 problem document, or what stands in for one when the server could not be reached or did not send one. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly title: string,
    readonly detail: string | null = null,
    readonly type: string = "about:blank",
    readonly retryAfterMs: number | null = null,
    /** What stands in the document beside these. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "Problem";
  }

  /** Whether the same request may succeed a little later. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502 || this.retryAfterMs !== null;
  }

  /** Whether it is one of the kinds that the server names so, such as `out-of-stock`. */
  is(...names: string[]): boolean {
    return names.some((name) => this.type === `/problems/${name}`);
  }
}

/** Whether `error` is one of these kinds of problem. */
export const isProblem = (error: unknown, ...names: string[]): error is Problem => error instanceof Problem && error.is(...names);

/** Nothing came back. An abort stays an `AbortError`. */
export function unreachable(error: unknown): Error {
  if (error instanceof DOMException && error.name === "AbortError") return error;
  if (error instanceof Problem) return error;
  return new Problem(0, "The shop cannot be reached", "Check the connection; nothing was lost, the request can be sent again.");
}

/** Reads the problem document of a refused request; answers of proxies without one still become a clear sentence. */
export async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("retry-after"));
  const retryAfterMs = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : null;
  let document: unknown = null;
  try {
    document = await response.json();
  } catch {
    // Not JSON: the status has to say it.
  }
  const members = typeof document === "object" && document !== null ? (document as Record<string, unknown>) : {};
  const field = (name: string): string | null => {
    const value = members[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  return new Problem(
    response.status,
    field("title") ?? `The server answered ${response.status}${response.statusText ? ` ${response.statusText}` : ""}`,
    field("detail"),
    field("type") ?? "about:blank",
    retryAfterMs,
    members,
  );
}
