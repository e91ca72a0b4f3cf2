/** Routes behind the operator token, and the token's place in this tab. */
import { answer, plain } from "./rest";
import type { ViewResponse } from "./schema";
import { address } from "./send";

/** Rows of a view by primary key, from its beginning or (`newest`) from its end. */
export const view = (
  name: string,
  token: string,
  limit: number,
  { newest = false, signal }: { newest?: boolean; signal?: AbortSignal } = {},
): Promise<ViewResponse> =>
  answer(
    plain.GET("/api/v1/views/{name}", {
      params: { path: { name }, query: { limit, ...(newest ? { order: "desc" as const } : {}) } },
      headers: { authorization: `Bearer ${token}` },
      ...(signal ? { signal } : {}),
    }),
  );

/** The stream of a view, whose snapshot has at most `limit` rows. */
export const viewStream = (name: string, limit: number): string => address(`/views/${encodeURIComponent(name)}/stream`, { limit });
export const storesStream = (): string => address("/stores/stream");

const KEY = "chimera.operator-token";

/** Takes the token out of `#token=…`, so that it does not stay in the address bar, the history or a screenshot. */
export function takeToken(): string | null {
  const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  }
  return sessionStorage.getItem(KEY);
}

export const keepToken = (token: string): void => sessionStorage.setItem(KEY, token);
export const dropToken = (): void => sessionStorage.removeItem(KEY);
