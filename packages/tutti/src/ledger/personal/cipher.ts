import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

import { TuttiError } from "../../base/errors.ts";

const ivBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM. The nonce follows from key and text, so the same text of one person is the same sealed text: large values are still stored
 * once, and a retry writes the same bytes. Who reads the file learns which sealed texts are equal, and how long they are.
 */
export function sealText(key: Buffer, text: string): string {
  const iv = createHmac("sha256", key).update(text).digest().subarray(0, ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

/** @throws TuttiError LEDGER_CORRUPT */
export function openText(key: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes));
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    const text = decipher.update(bytes.subarray(ivBytes, bytes.length - tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch (error) {
    throw new TuttiError("LEDGER_CORRUPT", "sealed data can't be opened with the key that it was sealed with", {
      hint: "Run `tutti verify` to see how far the ledger is intact, and restore it from a backup.",
      cause: error,
    });
  }
}
