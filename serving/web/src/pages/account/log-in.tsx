import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { logIn } from "../../api/account";
import { isProblem } from "../../api/problem";
import { Link, navigate, nextPath, useLocation } from "../../router";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";
import { Entrance } from "./entrance";

/** `stay`: in the place of a page that needs a log-in, and shows itself afterwards. */
export function LogIn({ stay = false }: { stay?: boolean }) {
  const { params } = useLocation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksForCode, setAsksForCode] = useState(false);
  const codeField = useRef<HTMLDivElement>(null);
  const enter = useMutation({
    mutationFn: () => logIn({ email: email.trim(), password, ...(asksForCode && code.trim() ? { code: code.trim() } : {}) }),
    onSuccess: () => {
      if (!stay) navigate(nextPath(params), { replace: true });
    },
    onError: (error) => {
      if (isProblem(error, "second-factor-needed")) setAsksForCode(true);
    },
  });
  useEffect(() => {
    if (asksForCode) codeField.current?.querySelector("input")?.focus();
  }, [asksForCode]);
  const next = params.get("next");
  return (
    <Entrance
      title="Log in"
      action="Log in"
      working="Logging in…"
      isPending={enter.isPending}
      onSubmit={() => enter.mutate()}
      others={
        <>
          <Link to={next ? `/account/register?next=${encodeURIComponent(next)}` : "/account/register"}>Open an account</Link>
          <Link to="/account/forgot-password">Forgotten your password?</Link>
        </>
      }
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
      <Field
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        maxLength={128}
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {asksForCode ? (
        <div ref={codeField}>
          <Field
            label="Code"
            name="code"
            hint="The six digits that your telephone shows, or a recovery code."
            autoComplete="one-time-code"
            maxLength={40}
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </div>
      ) : null}
      {enter.isError && !isProblem(enter.error, "second-factor-needed") ? <ProblemNote error={enter.error} /> : null}
    </Entrance>
  );
}
