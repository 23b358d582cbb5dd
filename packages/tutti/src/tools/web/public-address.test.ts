import fc from "fast-check";
import { expect, test } from "vitest";

import { isPublicAddress } from "./public-address.ts";

const byte = fc.integer({ min: 0, max: 255 });
const address4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));

/** The ways in which one address of version 4 can be written in an address on the web. */
function toSpellings(address: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  return [
    address,
    String(whole),
    `0x${whole.toString(16)}`,
    `0${whole.toString(8)}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `0x${a.toString(16)}.${b}.0${c.toString(8)}.${d}`,
  ];
}

test("an address is judged alike in whatever form it is written", () => {
  fc.assert(
    fc.property(address4, (address) => {
      const isPublic = isPublicAddress(address);
      for (const spelling of toSpellings(address))
        expect(isPublicAddress(new URL(`http://${spelling}/`).hostname)).toBe(isPublic);
      for (const carrier of ["::ffff:", "64:ff9b::"]) {
        expect(isPublicAddress(`${carrier}${address}`)).toBe(isPublic);
        const { hostname } = new URL(`http://[${carrier}${address}]/`);
        expect(isPublicAddress(hostname.slice(1, -1))).toBe(isPublic);
      }
      // Other ways to carry one are not given out for use on the internet.
      for (const carrier of ["::", "::ffff:0:"]) expect(isPublicAddress(`${carrier}${address}`)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (whole: number): string => [24, 16, 8, 0].map((shift) => Math.floor(whole / 2 ** shift) % 256).join(".");

test.each([
  ["10", "10.0.0.0", "10.255.255.255"],
  ["this machine", "127.0.0.0", "127.255.255.255"],
  ["this link", "169.254.0.0", "169.254.255.255"],
  ["172.16", "172.16.0.0", "172.31.255.255"],
  ["192.168", "192.168.0.0", "192.168.255.255"],
  ["carriers", "100.64.0.0", "100.127.255.255"],
  ["benchmarks", "198.18.0.0", "198.19.255.255"],
  ["multicast and reserved", "224.0.0.0", "255.255.255.255"],
])("the range of %s is private from its first to its last address, and its neighbours are not", (_, first, last) => {
  expect([first, last].map(isPublicAddress)).toEqual([false, false]);
  const neighbours = [toNumber(first) - 1, toNumber(last) + 1].filter((whole) => whole < 2 ** 32);
  expect(neighbours.map(toText).map(isPublicAddress)).toEqual(neighbours.map(() => true));
});

test("what is no address is not public", () => {
  for (const text of ["", "localhost", "1.2.3", "1.2.3.4.5", "fe80::1%eth0", "[2606:4700::1]", "2606:4700::1/64"])
    expect(isPublicAddress(text)).toBe(false);
});
