import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { forgotPassword } from "../../api/account";
import { Link } from "../../router";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";
import { Entrance } from "./entrance";

export function ForgotPassword() {
  const [email, setEmail] = useState("");
  const ask = useMutation({ mutationFn: () => forgotPassword(email.trim()) });
  if (ask.isSuccess) {
    return (
      <section className="note note-centred" role="status" data-testid="message-sent">
        <h1>Look at your mail</h1>
        <p>If {email.trim()} has an account here, a message with a link for a new password is on its way. The link is good for an hour.</p>
        <Link className="button button-quiet" to="/account/login">
          Back to the log-in
        </Link>
      </section>
    );
  }
  return (
    <Entrance
      title="Forgotten password"
      hint="A message with a link for a new one goes to your address."
      action="Send the message"
      working="Sending…"
      isPending={ask.isPending}
      onSubmit={() => ask.mutate()}
      others={<Link to="/account/login">Back to the log-in</Link>}
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
      />
      {ask.isError ? <ProblemNote error={ask.error} /> : null}
    </Entrance>
  );
}
