/** The router: the address is the state, links are plain anchors. A dozen pages do not need more. */
import { createContext, use, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from "react";

/** The parts of the account that have a page of their own. */
const ACCOUNT = ["login", "register", "verify-email", "forgot-password", "reset-password", "addresses", "security"] as const;
export type AccountSection = (typeof ACCOUNT)[number];

export type Route =
  | { page: "storefront" }
  | { page: "product"; id: string }
  | { page: "cart" }
  | { page: "checkout" }
  | { page: "purchase"; id: string }
  | { page: "account"; section: AccountSection | "orders" }
  | { page: "order"; id: string }
  | { page: "dashboard" }
  | { page: "not-found"; path: string };

export interface Location {
  path: string;
  params: URLSearchParams;
}

/** Names the page that a path stands for. */
export function match(path: string): Route {
  const [noun, id, more, ...rest] = path.split("/").filter(Boolean).map(decode);
  if (noun === undefined) return { page: "storefront" };
  if (rest.length === 0 && noun === "account" && id === "orders" && more !== undefined) return { page: "order", id: more };
  if (more === undefined) {
    if (noun === "dashboard" && id === undefined) return { page: "dashboard" };
    if (noun === "cart" && id === undefined) return { page: "cart" };
    if (noun === "checkout") return id === undefined ? { page: "checkout" } : { page: "purchase", id };
    if (noun === "product" && id !== undefined) return { page: "product", id };
    if (noun === "account" && id === undefined) return { page: "account", section: "orders" };
    const section = ACCOUNT.find((known) => known === id);
    if (noun === "account" && section) return { page: "account", section };
  }
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
export const purchasePath = (id: string): string => `/checkout/${encodeURIComponent(id)}`;
export const orderPath = (id: string): string => `/account/orders/${encodeURIComponent(id)}`;

/** To the log-in, and from there back to `path`. */
export const logInPath = (path: string): string => `/account/login?next=${encodeURIComponent(path)}`;

/** Where a log-in leads to: a page of ours, whatever the address says. */
export function nextPath(params: URLSearchParams): string {
  const next = params.get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? next : "/account";
}
