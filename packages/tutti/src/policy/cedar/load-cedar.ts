import type * as CedarPackage from "@cedar-policy/cedar-wasm/nodejs";

import { loadOptional } from "../../base/optional-package.ts";

const cedarPackage = { name: "@cedar-policy/cedar-wasm", range: "4.13", use: "The text of a policy is read by" };

export type Cedar = typeof CedarPackage;

/**
 * Cedar itself. It weighs more than half of what Tutti may, so who writes rules installs it; it is loaded when a text is read.
 * @throws TuttiError DEFINITION_INVALID when the package is missing
 */
export function loadCedar(): Promise<Cedar> {
  return loadOptional(cedarPackage, () => import("@cedar-policy/cedar-wasm/nodejs"));
}
