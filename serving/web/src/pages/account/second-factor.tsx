import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { beginSecondFactor, confirmSecondFactor, removeSecondFactor } from "../../api/account";
import type { Seed } from "../../api/schema";
import { MINE } from "../../shopping/session";
import { Field } from "../../ui/field";
import { ProblemNote } from "../../ui/problem-note";

/** A code at each log-in, besides the password. */
export function SecondFactor({ isOn }: { isOn: boolean }) {
  const client = useQueryClient();
  // They are shown once: a fresh look at the account must not take them away.
  const [recovery, setRecovery] = useState<readonly string[] | null>(null);
  const [seed, setSeed] = useState<Seed | null>(null);
  const changed = () => client.invalidateQueries({ queryKey: [MINE, "account"] });
  return (
    <section className="step" data-testid="second-factor">
      <h2>Second factor</h2>
      {recovery ? <RecoveryCodes codes={recovery} onKept={() => setRecovery(null)} /> : null}
      {isOn ? (
        <>
          {recovery ? null : <p>It is on: each log-in asks for a code.</p>}
          <Remove onDone={() => void changed()} />
        </>
      ) : seed ? (
        <Confirm
          seed={seed}
          onDone={(codes) => {
            setRecovery(codes);
            setSeed(null);
            void changed();
          }}
        />
      ) : (
        <>
          <p>A code from your telephone besides the password: whoever learns the password alone does not come in.</p>
          <Begin onDone={setSeed} />
        </>
      )}
    </section>
  );
}

function Begin({ onDone }: { onDone: (seed: Seed) => void }) {
  const [password, setPassword] = useState("");
  const begin = useMutation({ mutationFn: () => beginSecondFactor({ password }), onSuccess: onDone });
  return (
    <details className="narrow">
      <summary>Set it up</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          begin.mutate();
        }}
      >
        <Password value={password} onChange={setPassword} />
        {begin.isError ? <ProblemNote error={begin.error} /> : null}
        <button className="button button-quiet" type="submit" disabled={begin.isPending}>
          Go on
        </button>
      </form>
    </details>
  );
}

/** Whoever finds the browser open does not know it. */
function Password({ value, onChange }: { value: string; onChange: (password: string) => void }) {
  return (
    <Field
      label="Password"
      type="password"
      name="password"
      autoComplete="current-password"
      maxLength={128}
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Confirm({ seed, onDone }: { seed: Seed; onDone: (codes: readonly string[]) => void }) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => confirmSecondFactor(code.trim()),
    onSuccess: ({ recovery_codes }) => onDone(recovery_codes),
  });
  return (
    <form
      className="narrow"
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate();
      }}
    >
      <p>
        Type this into the app on your telephone, or <a href={seed.url}>open it there</a>:
      </p>
      <code className="secret" data-testid="seed">
        {seed.secret}
      </code>
      <Field
        label="The code that it shows"
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        minLength={6}
        maxLength={6}
        required
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      {confirm.isError ? <ProblemNote error={confirm.error} /> : null}
      <button className="button" type="submit" disabled={confirm.isPending}>
        Switch it on
      </button>
    </form>
  );
}

function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  return (
    <div className="note" role="status">
      <p>
        <strong>It is on.</strong> Keep these somewhere safe: each stands in for a code once, and they are not shown again.
      </p>
      <ul className="recovery" data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <button className="button button-quiet" type="button" onClick={onKept}>
        I have kept them
      </button>
    </div>
  );
}

function Remove({ onDone }: { onDone: () => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const remove = useMutation({ mutationFn: () => removeSecondFactor({ password, code: code.trim() }), onSuccess: onDone });
  return (
    <details className="narrow">
      <summary>Switch it off</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          remove.mutate();
        }}
      >
        <Password value={password} onChange={setPassword} />
        <Field
          label="Code, or a recovery code"
          name="code"
          autoComplete="one-time-code"
          maxLength={40}
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        {remove.isError ? <ProblemNote error={remove.error} /> : null}
        <button className="button button-quiet" type="submit" disabled={remove.isPending}>
          Switch it off
        </button>
      </form>
    </details>
  );
}
