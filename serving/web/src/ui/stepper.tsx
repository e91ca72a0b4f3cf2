interface StepperProps {
  label: string;
  value: number;
  most: number;
  onChange: (value: number) => void;
}

/** A quantity: one less, typed, one more. */
export function Stepper({ label, value, most, onChange }: StepperProps) {
  const set = (wanted: number) => onChange(Math.max(1, Math.min(Math.max(1, most), Math.trunc(wanted) || 1)));
  return (
    <div className="stepper" role="group" aria-label={label}>
      <button type="button" aria-label="One less" disabled={value <= 1} onClick={() => set(value - 1)}>
        −
      </button>
      <input
        inputMode="numeric"
        aria-label={label}
        value={value}
        onChange={(event) => set(Number(event.target.value))}
        onFocus={(event) => event.target.select()}
      />
      <button type="button" aria-label="One more" disabled={value >= most} onClick={() => set(value + 1)}>
        +
      </button>
    </div>
  );
}
