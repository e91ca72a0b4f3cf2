import { useMutation, useQueryClient } from "@tanstack/react-query";
import { verifyEmail } from "../../api/account";
import { isProblem } from "../../api/problem";
import { Link } from "../../router";
import { MINE } from "../../shopping/session";
import { ProblemNote } from "../../ui/problem-note";
import { BadLink } from "./reset-password";

/** From the link in a message. It takes a click: programs that look at mail open links too, and the token is good once. */
export function VerifyEmail({ token }: { token: string }) {
  const client = useQueryClient();
  const verify = useMutation({
    mutationFn: () => verifyEmail(token),
    onSuccess: () => client.invalidateQueries({ queryKey: [MINE, "account"] }),
  });
  if (verify.isSuccess) {
    return (
      <section className="note note-centred" role="status" data-testid="email-verified">
        <h1>Thank you</h1>
        <p>Your e-mail address is verified.</p>
        <Link className="button" to="/">
          Go to the shop
        </Link>
      </section>
    );
  }
  if (!token || isProblem(verify.error, "bad-one-time-token")) return <BadLink what="your address" to="/account/security" />;
  return (
    <section className="note note-centred">
      <h1>Is this your e-mail address?</h1>
      <p>The link was sent to it when the account was opened.</p>
      {verify.isError ? <ProblemNote error={verify.error} /> : null}
      <button className="button" type="button" disabled={verify.isPending} onClick={() => verify.mutate()}>
        {verify.isPending ? "Verifying…" : "Yes, it is mine"}
      </button>
    </section>
  );
}
