import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { register } from "../../api/account";
import { faultsOf } from "../../lib/faults";
import { isProblem } from "../../api/problem";
import { Link, navigate, nextPath, useLocation } from "../../router";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";
import { Entrance } from "./entrance";
import { NewPasswordField } from "./new-password-field";

export function Register() {
  const { params } = useLocation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const open = useMutation({
    mutationFn: () => register({ email: email.trim(), password }),
    onSuccess: () => navigate(nextPath(params), { replace: true }),
  });
  const faults = faultsOf(open.error);
  return (
    <Entrance
      title="Open an account"
      hint="To find your orders again, and to have your cart on every machine."
      action="Open an account"
      working="Opening…"
      isPending={open.isPending}
      onSubmit={() => open.mutate()}
      others={<Link to="/account/login">You have an account? Log in</Link>}
    >
      <Field
        label="E-mail"
        type="email"
        name="email"
        autoComplete="username"
        maxLength={254}
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        fault={faults.get("email")}
      />
      <NewPasswordField value={password} onChange={setPassword} fault={faults.get("password")} />
      {open.isError && faults.size === 0 ? (
        <ProblemNote error={open.error}>
          {isProblem(open.error, "email-taken") ? (
            <p>
              <Link to="/account/login">Log in</Link>, or <Link to="/account/forgot-password">set a new password</Link>.
            </p>
          ) : null}
        </ProblemNote>
      ) : null}
    </Entrance>
  );
}
