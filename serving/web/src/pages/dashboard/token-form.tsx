import { useState } from "react";
import type { Problem } from "../../api/problem";

export function TokenForm({ refusal, onToken }: { refusal: Problem | null; onToken: (token: string) => void }) {
  const [text, setText] = useState("");
  return (
    <section className="note note-centred token-form">
      <h1>Operator token</h1>
      <p>
        The dashboard shows the shop’s figures, so it asks for the operator’s token. It stands in the file <code>operator.token</code> of
        the data folder, and at the end of the address that the server prints when it starts.
      </p>
      {refusal ? (
        <p className="field-error" role="alert">
          {refusal.detail ?? refusal.title}
        </p>
      ) : null}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = text.trim().replace(/^.*#token=/, "");
          if (token) onToken(token);
        }}
      >
        <input
          type="password"
          name="token"
          aria-label="Operator token"
          placeholder="Paste the token or the whole address"
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button className="button" type="submit" disabled={text.trim() === ""}>
          Open the dashboard
        </button>
      </form>
    </section>
  );
}
