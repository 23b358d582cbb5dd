/** What `fetch` says, in the code of a cause, of a connection that was never made: nothing was sent. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether a connection with this code of an error was never made, its encryption included. After any other a request may have arrived. */
export function isNeverConnected(code: string): boolean {
  return neverConnected.has(code) || /CERT|SSL|SELF_SIGNED|ALTNAME|EPROTO/.test(code);
}
