/** For servers that trust an engine: whether what a tool shows them is the right to do what it asks for. */
export { openCapabilityUses, type CapabilityUses } from "./identity/capability-uses.ts";
export type { CapabilityKeys } from "./identity/signing-keys.ts";
export { verifyCapability, type ExpectedCapability } from "./identity/verify-capability.ts";
