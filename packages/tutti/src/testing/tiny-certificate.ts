import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate for 127.0.0.1 that vouches for itself, made on the spot: nobody trusts it, and no key has to be kept anywhere. */
export function makeTinyCertificate(): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectId("2a8648ce3d040302")); // ecdsa-with-SHA256
  const name = sequence(set(sequence(objectId("550403"), element(0x0c, Buffer.from("127.0.0.1")))));
  const validity = sequence(utcTime("200101000000Z"), utcTime("491231235959Z"));
  const serial = element(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)]));
  const body = sequence(serial, algorithm, name, validity, name, publicKey.export({ type: "spki", format: "der" }));
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, algorithm, element(0x03, Buffer.concat([Buffer.from([0x00]), signature])));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}

// ASN.1 as far as a certificate needs it: a tag, a length, and what is inside.
function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const header =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function set(part: Uint8Array): Buffer {
  return element(0x31, part);
}

function objectId(hexadecimal: string): Buffer {
  return element(0x06, Buffer.from(hexadecimal, "hex"));
}

function utcTime(text: string): Buffer {
  return element(0x17, Buffer.from(text));
}
