import { Agent, request } from "node:http";

import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import { anything, fields, flag, listOf, oneOf, recordOf, text } from "../../packages/tutti/src/base/shape.ts";

/** What the recorder is asked. */
export type Asked =
  | { readonly verb: "act"; readonly key: string; readonly once: boolean }
  | { readonly verb: "receipt"; readonly key: string }
  | { readonly verb: "take-back"; readonly key: string }
  | { readonly verb: "events"; readonly after: number }
  | { readonly verb: "quiet" };

/** Something that really happened. */
export interface RecorderEvent {
  readonly kind: "act" | "take-back";
  readonly key: string;
  readonly once: boolean;
  /** It must be done once, and it stood already. */
  readonly isDuplicate: boolean;
}

export interface RecorderClient {
  /** @throws TuttiError TOOL_UNAVAILABLE when nothing was done; Error when nobody knows */
  act(key: string, once: boolean): Promise<string>;
  /** What stands under a key; waits for what is being done. */
  receipt(key: string): Promise<string | undefined>;
  takeBack(key: string): Promise<void>;
  events(after: number): Promise<{ readonly events: readonly RecorderEvent[]; readonly standing: ReadonlySet<string> }>;
  quiet(): Promise<void>;
}

const receiptShape = fields({}, { receipt: text });
const eventsShape = fields({
  events: listOf(fields({ kind: oneOf("act", "take-back"), key: text, once: flag, isDuplicate: flag })),
  standing: recordOf(anything),
});

export function openRecorderClient(port: number): RecorderClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const ask = (asked: Asked): Promise<unknown> => post({ port, agent }, asked);
  return {
    async act(key, once) {
      const { receipt } = receiptShape(await ask({ verb: "act", key, once }), "");
      return receipt ?? "";
    },
    receipt: async (key) => receiptShape(await ask({ verb: "receipt", key }), "").receipt,
    takeBack: async (key) => void (await ask({ verb: "take-back", key })),
    async events(after) {
      const { events, standing } = eventsShape(await ask({ verb: "events", after }), "");
      return { events, standing: new Set(Object.keys(standing)) };
    },
    quiet: async () => void (await ask({ verb: "quiet" })),
  };
}

function post(to: { readonly port: number; readonly agent: Agent }, asked: Asked): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: to.port, agent: to.agent, method: "POST" }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => void (body += chunk));
      response.on("error", reject).on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new TuttiError("TOOL_UNAVAILABLE", "the recorder refused, and did nothing"));
      });
    });
    sent.on("error", reject).end(JSON.stringify(asked));
  });
}
