import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { resetPassword } from "../../api/account";
import { isProblem } from "../../api/problem";
import { faultsOf } from "../../lib/faults";
import { Link } from "../../router";
import { ProblemNote } from "../../ui/problem-note";
import { Entrance } from "./entrance";
import { NewPasswordField } from "./new-password-field";

/** From the link in a message. */
export function ResetPassword({ token }: { token: string }) {
  const [password, setPassword] = useState("");
  const reset = useMutation({ mutationFn: () => resetPassword(token, password) });
  if (reset.isSuccess) {
    return (
      <section className="note note-centred" role="status" data-testid="password-set">
        <h1>The new password is set</h1>
        <p>You were logged out everywhere.</p>
        <Link className="button" to="/account/login">
          Log in
        </Link>
      </section>
    );
  }
  if (!token || isProblem(reset.error, "bad-one-time-token")) return <BadLink what="a new password" to="/account/forgot-password" />;
  const faults = faultsOf(reset.error);
  return (
    <Entrance
      title="Set a new password"
      hint="You are logged out everywhere when it is set."
      action="Set it"
      working="Setting…"
      isPending={reset.isPending}
      onSubmit={() => reset.mutate()}
    >
      <NewPasswordField value={password} onChange={setPassword} fault={faults.get("password")} />
      {reset.isError && faults.size === 0 ? <ProblemNote error={reset.error} /> : null}
    </Entrance>
  );
}

/** A link from a message that is good no more. */
export function BadLink({ what, to }: { what: string; to: string }) {
  return (
    <section className="note note-centred" role="alert" data-testid="bad-link">
      <h1>This link is not good</h1>
      <p>It was used, or it has run out, or it is not whole. Only the newest message has a good one.</p>
      <Link className="button" to={to}>
        Ask for another link for {what}
      </Link>
    </section>
  );
}
