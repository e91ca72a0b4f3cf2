/**
 * Who has logged in, in this tab. The access token is in memory. The refresh token comes in the body of an answer and has to outlive a reload, so
 * it is in `sessionStorage`: it goes with the tab and is never on the disk for the next one at this machine. Tabs do not share it: it is good
 * once, and two that used the same one would end the session.
 */
import { signal } from "../lib/signal";
import { Problem } from "./problem";
import type { TokenPair } from "./schema";

const KEY = "chimera.refresh-token";
/** An access token with less than this left is not begun with. */
const MARGIN_MS = 30_000;

export interface Session {
  isOpen(): boolean;
  begin(pair: TokenPair): void;
  end(): void;
  /** One that is good; `null`: nobody has logged in, or the session is over. */
  accessToken(refresh: (refreshToken: string) => Promise<TokenPair>): Promise<string | null>;
  subscribe(listener: () => void): () => void;
}

export function openSession(storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">, now: () => number): Session {
  const changed = signal();
  let access: { token: string; until: number } | null = null;
  let refreshing: Promise<void> | null = null;

  const keep = (pair: TokenPair) => {
    access = { token: pair.access_token, until: now() + pair.expires_in * 1000 };
    storage().setItem(KEY, pair.refresh_token);
  };
  const end = () => {
    access = null;
    if (storage().getItem(KEY) === null) return;
    storage().removeItem(KEY);
    changed.tell();
  };
  const renew = async (refreshToken: string, refresh: (token: string) => Promise<TokenPair>) => {
    try {
      const pair = await refresh(refreshToken);
      // Logged out, or in anew, meanwhile: the answer is nobody's.
      if (storage().getItem(KEY) === refreshToken) keep(pair);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      if (storage().getItem(KEY) === refreshToken) end();
    }
  };

  return {
    isOpen: () => storage().getItem(KEY) !== null,
    begin(pair) {
      keep(pair);
      changed.tell();
    },
    end,
    async accessToken(refresh) {
      const refreshToken = storage().getItem(KEY);
      if (refreshToken === null) return null;
      if (!access || access.until - now() < MARGIN_MS) {
        // However many requests wait for it: the token is good once.
        refreshing ??= renew(refreshToken, refresh).finally(() => (refreshing = null));
        await refreshing;
      }
      return access?.token ?? null;
    },
    subscribe: changed.subscribe,
  };
}

export const session = openSession(
  () => sessionStorage,
  () => Date.now(),
);
