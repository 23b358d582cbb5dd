import { BlockList, isIP, isIPv4 } from "node:net";

/**
 * Addresses that are nobody's on the internet: IANA's special-purpose registry, multicast and what is reserved. A request to one of
 * them would reach this machine, its network or the metadata of its cloud.
 */
const specialRanges4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  // One cloud answers its machines here, on an address that looks public.
  ["168.63.129.16", 32],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Of version 6 only this part is given out for use on the internet. */
const globalRange6 = ["2000::", 3] as const;
const specialRanges6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];
/** Here the last 32 bits are an address of version 4, and the packet goes there: translators, and mapped addresses. */
const carriers4 = ["64:ff9b::", "::ffff:"] as const;

const special4 = toBlockList(specialRanges4, "ipv4");
const global6 = toBlockList([globalRange6], "ipv6");
const special6 = toBlockList(specialRanges6, "ipv6");
const carrying4 = toBlockList(
  carriers4.map((carrier): [string, number] => [`${carrier}0.0.0.0`, 96]),
  "ipv6",
);
const carryingSpecial4 = toBlockList(
  carriers4.flatMap((carrier) =>
    specialRanges4.map(([network, prefix]): [string, number] => [`${carrier}${network}`, 96 + prefix]),
  ),
  "ipv6",
);

/** Whether an address belongs to the public internet. What is not an address does not. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  if (isIPv4(address)) return !special4.check(address, "ipv4");
  if (carrying4.check(address, "ipv6")) return !carryingSpecial4.check(address, "ipv6");
  return global6.check(address, "ipv6") && !special6.check(address, "ipv6");
}

function toBlockList(
  ranges: readonly (readonly [network: string, prefix: number])[],
  family: "ipv4" | "ipv6",
): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}
