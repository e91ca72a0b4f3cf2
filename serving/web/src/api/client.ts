/** One place that talks to the server: addresses, waiting for a position, and problem documents turned into errors. */

/** An RFC 9457 problem document, or what stands in for one when the server could not be reached or did not send one. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly title: string,
    readonly detail: string | null = null,
    readonly type: string = "about:blank",
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "Problem";
  }

  /** Whether the same request may succeed a little later. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502 || this.retryAfterMs !== null;
  }
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Operator token, for the routes that are not public. */
  token?: string | undefined;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: BodyInit;
}

type Parameters = Record<string, string | number | null | undefined>;

/** `/api/v1` + path with those parameters that have a value. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

/** Sends a request and returns the answer if it is a success; otherwise throws a `Problem`. An abort stays an `AbortError`. */
export async function send(url: string, options: RequestOptions = {}): Promise<Response> {
  const { token, headers = {}, method = "GET", body, signal } = options;
  const init: RequestInit = {
    method,
    headers: { accept: "application/json, application/problem+json", ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  };
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "The shop cannot be reached", "Check the connection; nothing was lost, the request can be sent again.");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function getJson<T>(url: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(url, options);
  return (await response.json()) as T;
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
  const field = (name: string): string | null => {
    const value = typeof document === "object" && document !== null ? (document as Record<string, unknown>)[name] : null;
    return typeof value === "string" && value !== "" ? value : null;
  };
  return new Problem(
    response.status,
    field("title") ?? `The server answered ${response.status}${response.statusText ? ` ${response.statusText}` : ""}`,
    field("detail"),
    field("type") ?? "about:blank",
    retryAfterMs,
  );
}
