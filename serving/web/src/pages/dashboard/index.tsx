import { useEffect, useState } from "react";
import { dropToken, keepToken, takeToken } from "../../api/operator";
import type { Problem } from "../../api/problem";
import { Board } from "./board";
import { TokenForm } from "./token-form";

/** The dashboard, once there is an operator token: from `#token=…`, this tab's memory, or the form. */
export default function Dashboard() {
  const [token, setToken] = useState(takeToken);
  const [refusal, setRefusal] = useState<Problem | null>(null);

  // A link with a new token opened in a tab that already shows the dashboard only changes the hash.
  useEffect(() => {
    const changed = () => {
      setRefusal(null);
      setToken(takeToken());
    };
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);

  if (!token) {
    return (
      <TokenForm
        refusal={refusal}
        onToken={(given) => {
          keepToken(given);
          setRefusal(null);
          setToken(given);
        }}
      />
    );
  }
  return (
    <Board
      token={token}
      onDenied={(problem) => {
        dropToken();
        setRefusal(problem);
        setToken(null);
      }}
    />
  );
}
