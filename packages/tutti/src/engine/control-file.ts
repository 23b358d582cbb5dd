/** Where a running engine listens, and the word that opens it. Only the user who owns the ledger can read it. */
export interface ControlAddress {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

/** The file beside the ledger that says where its engine listens. */
export function toControlFile(ledgerFile: string): string {
  return `${ledgerFile}-control.json`;
}
