/** React's side of the session. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { guestCart } from "../api/guest-cart";
import { session } from "../api/session";

/** What belongs to the shopper is kept under keys that begin with this, and forgotten when they come or go. */
export const MINE = "mine";

export const useSignedIn = (): boolean => useSyncExternalStore(session.subscribe, session.isOpen);

/** Once a page: keeps what is shown of the shopper in step with who they are. */
export function useSessionChanges(): void {
  const client = useQueryClient();
  useEffect(() => {
    const gone = session.subscribe(() => void client.resetQueries({ queryKey: [MINE] }));
    const otherTab = guestCart.subscribe(() => void client.invalidateQueries({ queryKey: [MINE, "cart"] }));
    return () => {
      gone();
      otherTab();
    };
  }, [client]);
}
