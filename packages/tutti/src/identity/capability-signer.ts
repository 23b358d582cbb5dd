import { SignJWT } from "jose";

import type { Capability } from "../contracts/capability.ts";
import { capabilityType, toClaims } from "./claims.ts";
import { openSigningKeys, type CapabilityKeys } from "./signing-keys.ts";

export interface CapabilitySigner {
  sign(capability: Capability): Promise<string>;
  keys(): CapabilityKeys;
  rotate(): Promise<void>;
}

/** What makes tokens of capabilities, in the name of a trust domain. @throws TuttiError CONFIG_INVALID */
export async function openCapabilitySigner(place: {
  readonly trustDomain: string;
  readonly keyFile: string | undefined;
}): Promise<CapabilitySigner> {
  const keys = await openSigningKeys(place.keyFile);
  return {
    sign: (capability) =>
      new SignJWT(toClaims(capability, place.trustDomain))
        .setProtectedHeader({ alg: "EdDSA", typ: capabilityType, kid: keys.kid })
        .sign(keys.privateKey),
    keys: () => keys.published,
    rotate: () => keys.rotate(),
  };
}
