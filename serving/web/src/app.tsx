import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { Problem } from "./api/client";
import { NotFound } from "./pages/not-found";
import { Product } from "./pages/product";
import { Storefront } from "./pages/storefront";
import { match, Router, useLocation } from "./router";
import { ErrorBoundary } from "./ui/error-boundary";
import { Header } from "./ui/header";
import { PictureProvider } from "./ui/picture-provider";

// Shoppers never need the dashboard's code or the chart library.
const Dashboard = lazy(() => import("./pages/dashboard"));

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

const TITLES = {
  storefront: "Chimera",
  product: "Product · Chimera",
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
  useFocusOn(route.page === "product" ? `product ${route.id}` : route.page);
  switch (route.page) {
    case "storefront":
      return <Storefront />;
    case "product":
      return <Product key={route.id} id={route.id} />;
    case "dashboard":
      return (
        <Suspense fallback={null}>
          <Dashboard />
        </Suspense>
      );
    case "not-found":
      return <NotFound path={route.path} />;
  }
}

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Router>
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
      </Router>
    </QueryClientProvider>
  );
}
