/** Requests whose answers are no JSON: streams and pictures. */
import { problemOf, unreachable } from "./problem";

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /** Operator token, for the routes that are not public. */
  token?: string | undefined;
  headers?: Record<string, string>;
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

/** Sends a GET and returns the answer if it is a success; otherwise throws a `Problem`. An abort stays an `AbortError`. */
export async function send(url: string, options: RequestOptions = {}): Promise<Response> {
  const { token, headers = {}, signal } = options;
  const init: RequestInit = {
    headers: { accept: "application/json, application/problem+json", ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    ...(signal ? { signal } : {}),
  };
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw unreachable(error);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}
