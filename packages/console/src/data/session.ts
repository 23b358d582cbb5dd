import { createContext, use } from "react";
import type { Session } from "tutti/client";

export const SessionContext = createContext<Session>({ name: "", role: "viewer" });

/** What whoever is signed in may do. The server decides; here it only says what is worth offering. */
export function useRights(): { readonly maySteer: boolean; readonly mayDecide: boolean; readonly maySeeAll: boolean } {
  const { role, tenant } = use(SessionContext);
  return {
    maySteer: role === "operator" || role === "admin",
    mayDecide: role === "approver" || role === "admin",
    maySeeAll: role === "admin" && tenant === undefined,
  };
}
