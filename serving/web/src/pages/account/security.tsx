import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changePassword, me, resendVerification } from "../../api/account";
import { faultsOf } from "../../lib/faults";
import { MINE } from "../../shopping/session";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";
import { NewPasswordField } from "./new-password-field";
import { SecondFactor } from "./second-factor";

/** The address, the password, and the second factor. */
export function Security() {
  const account = useQuery({ queryKey: [MINE, "account"], queryFn: ({ signal }) => me(signal), refetchOnWindowFocus: true });
  const resend = useMutation({ mutationFn: resendVerification });
  if (account.isError && !account.data) return <ProblemNote error={account.error} onRetry={() => void account.refetch()} />;
  if (!account.data) return <p className="bone" role="status" aria-label="Loading your account" />;
  const { email, email_verified_at, totp_enabled_at } = account.data;
  return (
    <>
      <h1>E-mail and password</h1>
      <section className="step">
        <h2>E-mail</h2>
        <p>
          <strong>{email}</strong> {email_verified_at ? "is verified." : "is not verified yet."}
        </p>
        {email_verified_at ? null : resend.isSuccess ? (
          <p role="status">A message with a link is on its way.</p>
        ) : (
          <button className="button button-quiet" type="button" disabled={resend.isPending} onClick={() => resend.mutate()}>
            Send the message again
          </button>
        )}
        {resend.isError ? <ProblemNote error={resend.error} /> : null}
      </section>
      <ChangePassword />
      <SecondFactor isOn={typeof totp_enabled_at === "string"} />
    </>
  );
}

function ChangePassword() {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () => changePassword({ current, password }),
    onSuccess: () => {
      setCurrent("");
      setPassword("");
    },
  });
  const faults = faultsOf(change.error);
  return (
    <section className="step">
      <h2>Password</h2>
      <form
        className="narrow"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Field
          label="Current password"
          type="password"
          name="current-password"
          autoComplete="current-password"
          maxLength={128}
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <NewPasswordField value={password} onChange={setPassword} fault={faults.get("password")} />
        {change.isError && faults.size === 0 ? <ProblemNote error={change.error} /> : null}
        <button className="button button-quiet" type="submit" disabled={change.isPending}>
          {change.isPending ? "Changing…" : "Change the password"}
        </button>
        {change.isSuccess ? <p role="status">The password is changed; everywhere else you were logged out.</p> : null}
      </form>
    </section>
  );
}
