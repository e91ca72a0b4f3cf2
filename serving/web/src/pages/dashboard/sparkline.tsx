import { HISTORY } from "../../live/stores-state";

const WIDTH = 96;
const HEIGHT = 22;
/** Ages below this all look small: otherwise a store at 40 ms would seem as restless as one at 40 s. */
const FLOOR_MS = 500;

/** The ages of the last minute as a line; the table says the newest in figures. */
export function Sparkline({ values, troubled }: { values: readonly number[]; troubled: boolean }) {
  const top = Math.max(FLOOR_MS, ...values);
  const points = values.map((value, index) => {
    const x = WIDTH - ((values.length - 1 - index) / (HISTORY - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - (Math.max(0, value) / top) * (HEIGHT - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      className={`sparkline${troubled ? " sparkline-troubled" : ""}`}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
