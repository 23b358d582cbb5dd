import { TuttiError } from "../base/errors.ts";
import { toDocumentId } from "../contracts/ids.ts";
import type { FleetState } from "../insight/fleet/fleet-state.ts";
import { readHistory } from "../ledger/document-value.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { readGateStates } from "../limits/gate-state.ts";
import type { Caller } from "./callers.ts";
import { isOwn, type Handlers } from "./desk.ts";
import { toEntryPage, toKindFilter } from "./entry-pages.ts";
import { seesRun } from "./sees-run.ts";
import { toStreamResponse } from "./stream.ts";
import { toldBytesMax } from "./told-value.ts";

const documentsDefault = 50;
const versionsDefault = 20;
const accountsDefault = 50;
/** Of a tenant's accounts, which stand among those of all. */
const accountsLookedAtMax = 5_000;

/** What is asked about all runs together. */
export const ledgerHandlers: Handlers<
  | "listCallables"
  | "showCallable"
  | "listHandOffs"
  | "listDocuments"
  | "showDocument"
  | "listEntries"
  | "stream"
  | "verifyLedger"
  | "listLimits"
> = {
  async listCallables({ fleet }, { query, caller }) {
    const lines = await fleet.listCallables(caller.tenant);
    const callables = lines.filter(
      ({ kind, name }) => (query.kind ?? kind) === kind && (query.name === undefined || query.name === name),
    );
    return { callables };
  },
  showCallable: ({ fleet }, { query, caller }) => fleet.showCallable(query, caller.tenant),
  listHandOffs: ({ fleet }, { caller }) => fleet.listHandOffs(caller.tenant),
  async listDocuments({ fleet }, { query, caller }) {
    const { under = "", limit = documentsDefault } = query;
    const { documents } = await fleet.catchUp();
    const own = [...documents].filter(([name, notes]) => name.startsWith(under) && seesDocument(caller, notes));
    const sorted = own.toSorted(([left], [right]) => (left < right ? -1 : 1)).slice(0, limit);
    return {
      documents: sorted.map(([document, { version, lsn, at, run, step }]) => ({
        document,
        version,
        lsn,
        at,
        run,
        step,
      })),
    };
  },
  async showDocument({ fleet, tutti }, { query, caller }) {
    const { document, limit = versionsDefault } = query;
    const notes = await fleet.findDocument(document);
    if (notes === undefined || !seesDocument(caller, notes))
      throw new TuttiError("RUN_UNKNOWN", `no document ${document} in this ledger`, {
        hint: "`GET /api/documents` lists them.",
      });
    const history = await readHistory(tutti.ledger, toDocumentId(document), { limit });
    const versions = history.map(({ value, version, run, step, at, diff }) => {
      const bytes = Buffer.byteLength(JSON.stringify(value) ?? "");
      const told = { version, run, step, at, bytes };
      return bytes > toldBytesMax ? { ...told, diff: [] } : { ...told, diff, value };
    });
    return { document, versions };
  },
  async listEntries({ fleet, tutti }, { query, caller }) {
    const state = await fleet.catchUp();
    const fits = toKindFilter(query);
    return toEntryPage(
      {
        read: (after, limit) => tutti.ledger.scan(after, limit),
        placeOf: ({ lsn }) => lsn,
        fits: (entry) => seesRun(caller, state, entry.run) && fits(entry),
      },
      query,
    );
  },
  stream: async (desk, call) => toStreamResponse(desk, call),
  async verifyLedger({ tutti }) {
    const verdict = await verifyLedger(tutti.ledger);
    if (verdict.kind === "intact") return { isIntact: true, entries: verdict.entries, runs: verdict.runs };
    const { lsn, run, seq, why } = verdict;
    return { isIntact: false, entries: lsn - 1, runs: 0, lsn, run, seq, why };
  },
  async listLimits({ fleet, tutti }, { query, caller }) {
    const { under = "", limit = accountsDefault } = query;
    if (caller.tenant === undefined) {
      const states = await readGateStates(tutti.ledger);
      const gates = [...states].filter(([gate]) => gate.startsWith(under)).map(([gate, state]) => ({ gate, ...state }));
      return { accounts: await tutti.ledger.listAccounts({ under, limit }), gates, slots: tutti.slots() };
    }
    const state = await fleet.catchUp();
    const accounts = await tutti.ledger.listAccounts({ under, limit: accountsLookedAtMax });
    return {
      accounts: accounts.filter(({ account }) => ownsAccount(caller, state, account)).slice(0, limit),
      gates: [],
      slots: [],
    };
  },
};

function seesDocument(
  caller: Caller,
  notes: { readonly tenant: string | undefined; readonly isShared: boolean },
): boolean {
  return caller.tenant === undefined || (!notes.isShared && isOwn(caller, notes.tenant));
}

/** `tenant/<own>`, and what is named by a run of its own: `run/<run>`, `agent/<run>/…`, `call/<run>/…`. */
function ownsAccount(caller: Caller, state: FleetState, account: string): boolean {
  const [kind = "", name = ""] = account.split("/");
  if (kind === "tenant") return name === caller.tenant;
  return kind !== "flow" && seesRun(caller, state, name);
}
