/**
 * A handle on a secret. It prints, serialises and is stored as `secret://name`; the value is given only for a request to one of its hosts.
 */
export interface Secret {
  readonly name: string;
  readonly hosts: readonly string[];
  /**
   * The value, for one request to exactly this address. Ask for it where the request is made, and keep it nowhere.
   * @throws TuttiError SECRET_MISPLACED when the address is not one of its hosts or is not encrypted, SECRET_MISSING when there is no value
   */
  reveal(url: string | URL, signal?: AbortSignal): Promise<string>;
  /** `secret://name`, never the value. */
  toString(): string;
  toJSON(): string;
}
