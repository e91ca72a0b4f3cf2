import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { Problem } from "./api/problem";
import { Cart } from "./pages/cart";
import { NotFound } from "./pages/not-found";
import { Product } from "./pages/product";
import { Storefront } from "./pages/storefront";
import { match, Router, useLocation, type Route } from "./router";
import { useSessionChanges } from "./shopping/session";
import { ErrorBoundary } from "./ui/error-boundary";
import { Header } from "./ui/header";
import { PictureProvider } from "./ui/picture-provider";

// Who looks around needs neither the dashboard with its charts nor what comes after the cart.
const Dashboard = lazy(() => import("./pages/dashboard"));
const Checkout = lazy(() => import("./pages/checkout"));
const Purchase = lazy(() => import("./pages/checkout/purchase"));
const Account = lazy(() => import("./pages/account"));
const Order = lazy(() => import("./pages/account/order"));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // What the server refused it would refuse again; a store that is behind, or no answer at all, deserves another try.
      retry: (failures, error) => failures < 2 && error instanceof Problem && error.transient,
      retryDelay: (attempt, error) => (error instanceof Problem ? error.retryAfterMs : null) ?? 300 * 2 ** attempt,
    },
  },
});

const TITLES: Record<Route["page"], string> = {
  storefront: "Chimera",
  product: "Product · Chimera",
  cart: "Cart · Chimera",
  checkout: "Checkout · Chimera",
  purchase: "Your purchase · Chimera",
  account: "Your account · Chimera",
  order: "Order · Chimera",
  dashboard: "Dashboard · Chimera",
  "not-found": "Not found · Chimera",
};

/** Takes the focus to the content when the page changes, as a page load would; not while the shopper types. */
function useFocusOn(page: string) {
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    if (document.activeElement?.matches("input, select, textarea")) return;
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [page]);
}

function Page() {
  const { path } = useLocation();
  const route = match(path);
  useEffect(() => {
    document.title = TITLES[route.page];
  }, [route.page]);
  useFocusOn(JSON.stringify(route));
  return <Suspense fallback={null}>{content(route)}</Suspense>;
}

function content(route: Route) {
  switch (route.page) {
    case "storefront":
      return <Storefront />;
    case "product":
      return <Product key={route.id} id={route.id} />;
    case "cart":
      return <Cart />;
    case "checkout":
      return <Checkout />;
    case "purchase":
      return <Purchase key={route.id} id={route.id} />;
    case "account":
      return <Account section={route.section} />;
    case "order":
      return <Order key={route.id} id={route.id} />;
    case "dashboard":
      return <Dashboard />;
    case "not-found":
      return <NotFound path={route.path} />;
  }
}

/** Inside of the router and of the queries. */
function Shop() {
  useSessionChanges();
  return (
    <PictureProvider>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary>
          <Page />
        </ErrorBoundary>
      </main>
    </PictureProvider>
  );
}

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Router>
        <Shop />
      </Router>
    </QueryClientProvider>
  );
}
