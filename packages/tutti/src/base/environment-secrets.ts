import { watchSecret } from "./known-secrets.ts";

/** How the variables are named in which providers' packages look for their keys; and those that are named otherwise. */
const keyNames = /_API_(?:KEY|TOKEN)$/;
const otherNames: ReadonlySet<string> = new Set([
  "ANTHROPIC_AUTH_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "FAL_KEY",
  "GITHUB_TOKEN",
  "HF_TOKEN",
]);

/** What stands there instead of a key ("not-needed", "your-key") is short, or has no digit, and may occur in any text. */
const keyLengthMin = 16;

/** Looks from now on for the keys of providers that are set in the environment, each under the name of its variable. */
export function watchEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value = ""] of Object.entries(environment)) {
    if (!keyNames.test(name) && !otherNames.has(name)) continue;
    if (value.length >= keyLengthMin && /\d/u.test(value) && !/\s/u.test(value)) watchSecret(name, value);
  }
}
