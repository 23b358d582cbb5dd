const signatures: readonly (readonly [mediaType: string, at: number, bytes: string])[] = [
  ["image/png", 0, "\u0089PNG\r\n\u001A\n"],
  ["image/jpeg", 0, "\u00FF\u00D8\u00FF"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
  ["image/avif", 4, "ftypavif"],
  ["video/quicktime", 4, "ftypqt"],
  ["video/mp4", 4, "ftyp"],
  ["video/webm", 0, "\u001AE\u00DF\u00A3"],
];

/** What bytes are, told by how they begin: what a provider says about them is often a guess. */
export function toMediaType(content: Uint8Array): string | undefined {
  const start = Buffer.from(content.subarray(0, 16)).toString("latin1");
  return signatures.find(([, at, bytes]) => start.startsWith(bytes, at))?.[0];
}
