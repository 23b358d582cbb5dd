/** The text with every character written out that people can't see, but for ends of lines: `\u{202e}`. */
export function toVisibleText(text: string): string {
  // Control and format characters, which can't be seen or change the order of others, and the separators that look like an end of line.
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\u2028\u2029]/gu, (character) =>
      character === "\n" ? character : `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
    );
}
