/**
 * The token of a guest's cart. It opens nothing but that cart, and is kept for as long as the browser keeps things: a guest comes back to what
 * they had put in, in any tab.
 */
const KEY = "chimera.cart";

export const guestCart = {
  token: (): string | null => localStorage.getItem(KEY),
  keep: (token: string): void => localStorage.setItem(KEY, token),
  forget: (): void => localStorage.removeItem(KEY),
  /** Tells when another tab has made the cart, or given it up. */
  subscribe(listener: () => void): () => void {
    const stored = (event: StorageEvent) => {
      if (event.key === KEY) listener();
    };
    window.addEventListener("storage", stored);
    return () => window.removeEventListener("storage", stored);
  },
};
