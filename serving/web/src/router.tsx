/** The router: the address is the state, links are plain anchors. Three routes do not need more. */
import { createContext, use, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from "react";

export type Route = { page: "storefront" } | { page: "product"; id: string } | { page: "dashboard" } | { page: "not-found"; path: string };

export interface Location {
  path: string;
  params: URLSearchParams;
}

/** Names the page that a path stands for. */
export function match(path: string): Route {
  const parts = path.split("/").filter(Boolean);
  if (parts.length === 0) return { page: "storefront" };
  if (parts.length === 1 && parts[0] === "dashboard") return { page: "dashboard" };
  if (parts.length === 2 && parts[0] === "product") return { page: "product", id: decode(parts[1] ?? "") };
  return { page: "not-found", path };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const CHANGED = "chimera:navigated";

/** Goes to an address of ours. `replace` leaves no entry in the history: for what the user is still typing. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (to === window.location.pathname + window.location.search) return;
  if (options.replace) {
    window.history.replaceState(window.history.state, "", to);
  } else {
    window.history.pushState(null, "", to);
    window.scrollTo(0, 0);
  }
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

const LocationContext = createContext<Location>({ path: "/", params: new URLSearchParams() });

export function Router({ children }: { children: ReactNode }) {
  const address = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  const location = useMemo<Location>(() => {
    const url = new URL(address, window.location.origin);
    return { path: url.pathname, params: url.searchParams };
  }, [address]);
  return <LocationContext value={location}>{children}</LocationContext>;
}

export const useLocation = (): Location => use(LocationContext);

/** An anchor that changes the page without loading it anew; modified clicks stay the browser's. */
export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

export const productPath = (id: string): string => `/product/${encodeURIComponent(id)}`;
