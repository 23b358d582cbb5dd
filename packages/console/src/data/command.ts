import { useRef, useState } from "react";
import type { AnswerOf, ClientError, Operation, Sending } from "tutti/client";

import { announce } from "./announce.ts";
import { client } from "./api.ts";
import { toError } from "./remote.ts";

/** A command on its way. */
export interface Command {
  readonly isSending: boolean;
  readonly error: ClientError | undefined;
  /** Sends it; the same content again, after a failure, goes under the same key and is done once. Resolves to nothing when it was refused. */
  send<Name extends Operation>(
    operation: Name,
    sending: Sending<Name>,
    done: string,
  ): Promise<AnswerOf<Name> | undefined>;
  clear(): void;
}

export function useCommand(): Command {
  const [state, setState] = useState<{ readonly isSending: boolean; readonly error: ClientError | undefined }>({
    isSending: false,
    error: undefined,
  });
  const last = useRef({ content: "", key: "" });
  return {
    ...state,
    async send(operation, sending, done) {
      const content = JSON.stringify([operation, sending]);
      if (last.current.content !== content) last.current = { content, key: crypto.randomUUID() };
      setState({ isSending: true, error: undefined });
      try {
        const answer = await client.call(operation, { ...sending, idempotencyKey: last.current.key });
        last.current = { content: "", key: "" };
        setState({ isSending: false, error: undefined });
        announce(done);
        return answer;
      } catch (thrown) {
        const error = toError(thrown);
        // A refusal is the answer to this key for good; whoever tries again after changing something else means a new command.
        if (!error.mayPass) last.current = { content: "", key: "" };
        setState({ isSending: false, error });
        return undefined;
      }
    },
    clear: () => setState({ isSending: false, error: undefined }),
  };
}
