import type { Ledger, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { toRunLog } from "../../packages/tutti/src/ledger/run-log.ts";
import { changeClaims } from "../ledger/change-claims.ts";

/** A ledger as a process sees it that dies: from one write on nothing is stored, answered or read any more. */
export interface DyingLedger extends Ledger {
  readonly isDead: boolean;
  /** Ends it now, wherever it is. */
  kill(): void;
}

export interface Death {
  /** It dies at this write, counted from 1. */
  readonly atWrite: number;
  /** Whether that write still reached the disk; nobody is told so. */
  readonly isStored: boolean;
}

const never = new Promise<never>(() => {});

/** The same ledger lives on beneath, for the next process. */
export function openDyingLedger(ledger: Ledger, { atWrite, isStored }: Death): DyingLedger {
  let writes = 0;
  let isDead = false;
  const alive =
    <Args extends readonly unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      isDead ? never : work(...args).then((result) => (isDead ? never : result));
  const dies = (): boolean => {
    writes += 1;
    if (writes === atWrite) isDead = true;
    return isDead;
  };
  const toLog = (log: RunLog): RunLog =>
    toRunLog({
      run: log.run,
      epoch: log.epoch,
      write(entry, waiter, pace) {
        if (isDead) return;
        if (dies()) {
          if (isStored) log.write(entry, { onAppended() {}, onRefused() {} }, pace);
          return;
        }
        const told = {
          onAppended: (appended: Parameters<typeof waiter.onAppended>[0]) =>
            void (isDead || waiter.onAppended(appended)),
          onRefused: (error: Parameters<typeof waiter.onRefused>[0]) => void (isDead || waiter.onRefused(error)),
        };
        log.write(entry, told, pace);
      },
      durable: alive(() => log.durable()),
      mark: (status, wakeAt) => void (isDead || log.mark(status, wakeAt)),
    });
  const claims = changeClaims(ledger, (claim) => ({ ...claim, log: toLog(claim.log) }));
  return {
    get isDead() {
      return isDead;
    },
    kill: () => void (isDead = true),
    async start(run) {
      if (isDead) return never;
      if (dies()) {
        if (isStored) await ledger.start(run);
        return never;
      }
      const outcome = await claims.start(run);
      return isDead ? never : outcome;
    },
    claim: alive((run) => claims.claim(run)),
    claimTogether: alive((runs, isWanted) => claims.claimTogether(runs, isWanted)),
    read: alive((run, from, limit) => ledger.read(run, from, limit)),
    scan: alive((after, limit) => ledger.scan(after, limit)),
    readBlob: alive((hash) => ledger.readBlob(hash)),
    findRun: alive((run) => ledger.findRun(run)),
    listRuns: alive((filter) => ledger.listRuns(filter)),
    findEffect: alive((key) => ledger.findEffect(key)),
    listEffects: alive((filter) => ledger.listEffects(filter)),
    listAccounts: alive((...args: Parameters<Ledger["listAccounts"]>) => ledger.listAccounts(...args)),
    keep: (name, state) => void (isDead || ledger.keep(name, state)),
    listKept: alive((...args: Parameters<Ledger["listKept"]>) => ledger.listKept(...args)),
    findDocument: alive((...args: Parameters<Ledger["findDocument"]>) => ledger.findDocument(...args)),
    listDocuments: alive((...args: Parameters<Ledger["listDocuments"]>) => ledger.listDocuments(...args)),
    findApproval: alive((id) => ledger.findApproval(id)),
    listApprovals: alive((filter) => ledger.listApprovals(filter)),
    listVersions: alive((...args: Parameters<Ledger["listVersions"]>) => ledger.listVersions(...args)),
    flush: alive(() => ledger.flush()),
    close: async () => {},
  };
}
