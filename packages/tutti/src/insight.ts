/** What a ledger tells: whether it is intact, what a run did, and why. */
export { nextRunTree, toRunTree } from "./insight/next-run-tree.ts";
export {
  emptyRunTree,
  totalsOf,
  type RunTree,
  type StepKind,
  type StepNode,
  type StepState,
  type TreeEvent,
} from "./insight/run-tree.ts";
export { whyOf, type Reason, type WhyLimits } from "./insight/why.ts";
export { verifyLedger, type Verification } from "./ledger/verify.ts";
export { openMetrics, type Metrics, type MetricsSource } from "./insight/metrics/metrics.ts";
