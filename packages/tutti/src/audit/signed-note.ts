import { createPublicKey, hash, sign, verify, type KeyObject } from "node:crypto";

/** A text with signatures under it, in the format of C2SP signed-note. */
export interface SignedNote {
  /** Ends with a line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  /** Four bytes that say which key, then the signature. */
  readonly bytes: Buffer;
}

/** One who signs, under the name of the log. `publicKey`: the 32 bytes in base64. */
export interface Signer {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Signs the text under a name without spaces and plus signs. */
export function toSignedNote(text: string, name: string, signers: readonly Signer[]): string {
  const lines = signers.map(({ publicKey, privateKey }) => {
    const signature = sign(null, Buffer.from(text), privateKey);
    return toSignatureLine({ name, bytes: Buffer.concat([toKeyId(name, publicKey), signature]) });
  });
  return `${text}\n${lines.join("")}`;
}

/** `undefined` for whatever is not a note, also for one that is written otherwise than it would be written here. */
export function parseSignedNote(raw: string): SignedNote | undefined {
  const end = raw.indexOf("\n\n");
  if (end === -1) return undefined;
  const text = raw.slice(0, end + 1);
  const signatures = raw
    .slice(end + 2)
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { name = "", base64 = "" } = signatureLine.exec(line)?.groups ?? {};
      return { name, bytes: Buffer.from(base64, "base64") };
    });
  return raw === `${text}\n${signatures.map(toSignatureLine).join("")}` && signatures.length > 0
    ? { text, signatures }
    : undefined;
}

const signatureLine = /^— (?<name>[^ +]+) (?<base64>[\w+/=]+)$/u;

function toSignatureLine({ name, bytes }: NoteSignature): string {
  return `— ${name} ${bytes.toString("base64")}\n`;
}

/** Whether the key signed the note under this name. */
export function isSignedBy(note: SignedNote, name: string, publicKey: string): boolean {
  const id = toKeyId(name, publicKey);
  return note.signatures.some(
    ({ name: signedAs, bytes }) =>
      signedAs === name &&
      bytes.subarray(0, id.length).equals(id) &&
      verify(null, Buffer.from(note.text), toKeyObject(publicKey), bytes.subarray(id.length)),
  );
}

function toKeyId(name: string, publicKey: string): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\n\u0001`), Buffer.from(publicKey, "base64")]);
  return hash("sha256", content, "buffer").subarray(0, 4);
}

function toKeyObject(publicKey: string): KeyObject {
  const x = Buffer.from(publicKey, "base64").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/** Several notes in one text, as anchors keep them: a note ends with its signatures, an empty line follows. */
export function splitNotes(text: string): readonly string[] {
  return text
    .split(/(?<=^— .*\n)\n(?!— )/mu)
    .map((note) => note.trimStart())
    .filter((note) => note !== "");
}
