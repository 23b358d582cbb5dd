import { followStream } from "./follow-stream.ts";
import type { LiveBatch, LiveWish } from "./live-batch.ts";

/* One connection for all tabs: a browser gives six to a server, and each tab with its own would take one for good. */

const ports = new Set<MessagePort>();
let leave: (() => void) | undefined;
let state: LiveBatch | undefined;

function tell(batch: LiveBatch): void {
  if (batch.kind === "state") state = batch;
  for (const port of ports) port.postMessage(batch);
}

addEventListener("connect", (event: Event) => {
  const [port] = event instanceof MessageEvent ? event.ports : [];
  if (port === undefined) return;
  port.addEventListener("message", ({ data }: MessageEvent<LiveWish>) => {
    if (data === "leave") ports.delete(port);
    else {
      ports.add(port);
      if (state?.kind === "state" && state.state === "refused") {
        leave?.();
        leave = undefined;
      } else if (state !== undefined) port.postMessage(state);
      leave ??= followStream(tell);
    }
    if (ports.size > 0) return;
    leave?.();
    leave = undefined;
    state = undefined;
  });
  port.start();
});
