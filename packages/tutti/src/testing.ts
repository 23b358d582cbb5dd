/** What tests of flows and agents need: time that stands still, a model that says what it is told, a ledger that forgets, a service that fails in every way. */
export { openMemoryLedger, type MemoryLedgerOptions } from "./ledger/memory/memory-ledger.ts";
export { openManualClock, type ManualClock } from "./testing/manual-clock.ts";
export type { FaultExpectation, ProviderFault, ProviderUnderTest, ServiceAt } from "./testing/provider-fault.ts";
export { faultsFor, providerFaults, tryProviderFault } from "./testing/provider-faults.ts";
export { scriptedModel, type ScriptedModel, type ScriptedReply } from "./testing/scripted-model.ts";
export { recordModel, replayModel } from "./testing/recorded-model.ts";
export { forbidNetworkModels } from "./models/network-switch.ts";
