/** The cards of the simulated provider: each comes out in its own way. A real provider's own form would give such a token. */
export const CARDS: readonly { token: string; name: string; about: string }[] = [
  { token: "tok_visa", name: "Visa ending in 4242", about: "is good" },
  { token: "tok_declined", name: "Visa ending in 0002", about: "is declined" },
  { token: "tok_pending", name: "Bank transfer", about: "is confirmed a moment later" },
  { token: "tok_pending_declined", name: "Bank transfer without cover", about: "is declined a moment later" },
  { token: "tok_slow", name: "Card of a slow bank", about: "is good, but its bank does not answer in time" },
  { token: "tok_capture_declined", name: "Card at its limit", about: "is set aside, and declined when the money is taken" },
];

export function Cards({ chosen, onChoose }: { chosen: string; onChoose: (token: string) => void }) {
  return (
    <div className="options">
      {CARDS.map(({ token, name, about }) => (
        <label key={token} className="option">
          <input type="radio" name="card" value={token} checked={chosen === token} onChange={() => onChoose(token)} />
          <span>
            <strong>{name}</strong> <span className="option-about">{about}</span>
          </span>
        </label>
      ))}
    </div>
  );
}
