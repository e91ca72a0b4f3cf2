import { count } from "../lib/format";
import { Link, match, useLocation } from "../router";
import { useCart } from "../shopping/cart";
import { useSignedIn } from "../shopping/session";
import { CartIcon, PersonIcon } from "./icons";
import { SearchBox } from "./search-box";

export function Header() {
  const { path } = useLocation();
  const { page } = match(path);
  return (
    <header className="header">
      <div className="header-inner">
        <Link className="wordmark" to="/" aria-label="Chimera, the shop’s first page">
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="9" className="wordmark-tile" />
            <path d="M22.6 11.2a8 8 0 1 0 0 9.6" className="wordmark-arc" />
            <circle cx="23.2" cy="16" r="2.4" className="wordmark-dot" />
          </svg>
          <span>Chimera</span>
        </Link>
        {page === "dashboard" ? <span className="header-gap" /> : <SearchBox />}
        <nav aria-label="Main">
          <Link className="nav-link" to="/" aria-current={page === "storefront" || page === "product" ? "page" : undefined}>
            Shop
          </Link>
          <Link className="nav-link" to="/dashboard" aria-current={page === "dashboard" ? "page" : undefined}>
            Dashboard
          </Link>
          <AccountLink current={page === "account" || page === "order"} />
          <CartLink current={page === "cart" || page === "checkout"} />
        </nav>
      </div>
    </header>
  );
}

function AccountLink({ current }: { current: boolean }) {
  const signedIn = useSignedIn();
  return (
    <Link className="nav-link" to={signedIn ? "/account" : "/account/login"} aria-current={current ? "page" : undefined}>
      <PersonIcon size={18} />
      <span>{signedIn ? "Account" : "Log in"}</span>
    </Link>
  );
}

function CartLink({ current }: { current: boolean }) {
  const { data } = useCart();
  const items = data?.total_items ?? 0;
  return (
    <Link className="nav-link" to="/cart" aria-current={current ? "page" : undefined}>
      <CartIcon size={18} />
      <span>Cart</span>
      {items > 0 ? (
        <span className="nav-count" data-testid="cart-count">
          {count(items)}
          <span className="visually-hidden"> {items === 1 ? "item" : "items"}</span>
        </span>
      ) : null}
    </Link>
  );
}
