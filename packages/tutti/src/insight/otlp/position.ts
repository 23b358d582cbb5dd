import type { Ledger } from "../../ledger/ledger.ts";

const prefix = "otlp:";

/** How far receivers have taken the ledger, by their address. */
export async function readPositions(ledger: Pick<Ledger, "listKept">): Promise<ReadonlyMap<string, number>> {
  const kept = (await ledger.listKept()).filter(({ name }) => name.startsWith(prefix));
  return new Map(kept.map(({ name, state }) => [name.slice(prefix.length), Number(state)]));
}

export function keepPosition(ledger: Pick<Ledger, "keep">, address: string, lsn: number): void {
  ledger.keep(`${prefix}${address}`, String(lsn));
}
