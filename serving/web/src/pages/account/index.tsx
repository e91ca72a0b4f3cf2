import { useQueryClient, useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { logOut } from "../../api/account";
import { Link, navigate, useLocation, type AccountSection } from "../../router";
import { useSignedIn } from "../../shopping/session";
import { Addresses } from "./addresses";
import { ForgotPassword } from "./forgot-password";
import { LogIn } from "./log-in";
import { Orders } from "./orders";
import { Register } from "./register";
import { ResetPassword } from "./reset-password";
import { Security } from "./security";
import { VerifyEmail } from "./verify-email";

/** The shopper's account, and the ways into it. */
export default function Account({ section }: { section: AccountSection | "orders" }) {
  const { params } = useLocation();
  const token = params.get("token") ?? "";
  switch (section) {
    case "login":
      return <LogIn />;
    case "register":
      return <Register />;
    case "forgot-password":
      return <ForgotPassword />;
    case "reset-password":
      return <ResetPassword token={token} />;
    case "verify-email":
      return <VerifyEmail token={token} />;
    case "orders":
      return (
        <Own current="orders">
          <Orders />
        </Own>
      );
    case "addresses":
      return (
        <Own current="addresses">
          <Addresses />
        </Own>
      );
    case "security":
      return (
        <Own current="security">
          <Security />
        </Own>
      );
  }
}

const SECTIONS = [
  { section: "orders", to: "/account", name: "Orders" },
  { section: "addresses", to: "/account/addresses", name: "Addresses" },
  { section: "security", to: "/account/security", name: "E-mail and password" },
] as const;

/** What only who has logged in sees; others may do so here. */
export function Own({ current, children }: { current: (typeof SECTIONS)[number]["section"]; children: ReactNode }) {
  const signedIn = useSignedIn();
  if (!signedIn) return <LogIn stay />;
  return (
    <div className="account">
      <nav className="account-nav" aria-label="Account">
        {SECTIONS.map(({ section, to, name }) => (
          <Link key={section} className="nav-link" to={to} aria-current={section === current ? "page" : undefined}>
            {name}
          </Link>
        ))}
        <LogOut />
      </nav>
      <div className="account-content">{children}</div>
    </div>
  );
}

function LogOut() {
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: logOut,
    onSettled: () => {
      client.removeQueries({ queryKey: ["feed"] });
      navigate("/");
    },
  });
  return (
    <button className="nav-link nav-button" type="button" disabled={leave.isPending} onClick={() => leave.mutate()}>
      Log out
    </button>
  );
}
