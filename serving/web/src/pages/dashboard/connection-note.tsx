import { duration } from "../../lib/format";
import type { StreamState } from "../../live/stream";

/** One word for all streams of the page: live, connecting, or lost and when it tries again. */
export function ConnectionNote({ connections }: { connections: readonly StreamState[] }) {
  const lost = connections.find((connection) => connection.kind === "waiting");
  if (lost?.kind === "waiting") {
    return (
      <p className="connection connection-lost" role="status">
        Connection lost, trying again in {duration(lost.retryInMs)}.{" "}
        {lost.problem.status === 0 ? "The figures below are the last ones received." : lost.problem.message}
      </p>
    );
  }
  const live = connections.every((connection) => connection.kind === "open");
  return (
    <p className={`connection ${live ? "connection-live" : ""}`} role="status" data-testid="connection">
      {live ? "Live" : "Connecting…"}
    </p>
  );
}
