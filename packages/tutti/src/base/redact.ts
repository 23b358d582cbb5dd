const saidMax = 300;

/** Without anything that looks like a key, and short. */
export function redact(text: string): string {
  return (text.split("\n", 1)[0] ?? "")
    .replaceAll(/\bBearer\s+\S+/gi, "Bearer [redacted]")
    .replaceAll(/\b(?:sk|pk|rk|gsk|xai|key|AIza)[-_]?[\w*.-]{8,}/g, "[redacted]")
    .replaceAll(/\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}\b/g, "[redacted]")
    .slice(0, saidMax)
    .trim();
}
