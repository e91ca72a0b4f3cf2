/** What the server found wrong with a form, by field. */
import { isProblem } from "../api/problem";

/** Messages by path, such as `shipping_address.city`; empty for other errors. */
export function faultsOf(error: unknown): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  if (!isProblem(error, "invalid-body")) return faults;
  const { errors, path } = error.members;
  for (const fault of Array.isArray(errors) ? (errors as unknown[]) : []) {
    const { path: at, message } = (fault ?? {}) as { path?: unknown; message?: unknown };
    if (typeof at === "string" && typeof message === "string" && !faults.has(at)) faults.set(at, sentence(message));
  }
  if (faults.size === 0 && typeof path === "string" && error.detail) faults.set(path, error.detail);
  return faults;
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
