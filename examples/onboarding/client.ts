import { setTimeout as sleep } from "node:timers/promises";

import { TuttiError } from "tutti";
import { z } from "zod";

/** How the services are asked. */
export interface Client {
  /** Does it, and returns the id of what was done. @throws TuttiError when certainly nothing was done; any other error: who knows */
  act(method: "PUT" | "POST" | "DELETE", path: string, content?: unknown): Promise<{ id: string }>;
  /** The id of what stands there; `undefined` when there is certainly nothing, now and later. @throws when that can't be told */
  find(path: string): Promise<{ id: string } | undefined>;
  /** Waits until no request that was sent before now can still count. */
  outlast(): Promise<void>;
}

/** How long a request counts. It says so itself, and the services do nothing for one that is older. */
const requestLifeMs = 200;
const Done = z.object({ id: z.string() });

/** `isAlive`: in trials, whether the process that sends is still meant to live. */
export function openClient(url: string, isAlive: () => boolean = () => true): Client {
  const ask = async (method: string, path: string, content?: unknown): Promise<Response> => {
    if (!isAlive()) return new Promise(() => {});
    return fetch(`${url}/${path}`, {
      method,
      headers: { "x-deadline": String(Date.now() + requestLifeMs) },
      signal: AbortSignal.timeout(requestLifeMs),
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    });
  };
  return {
    outlast,
    async act(method, path, content) {
      const response = await ask(method, path, content);
      const facts = { status: response.status };
      if (response.status === 503 || response.status === 408)
        throw new TuttiError("TOOL_UNAVAILABLE", "the service is busy", { facts });
      if (response.status === 422) throw new TuttiError("TOOL_FAILED", "the service refused it for good", { facts });
      if (!response.ok) throw new Error(`the service answered ${response.status}`);
      return Done.parse(await response.json());
    },
    async find(path) {
      await outlast();
      const response = await ask("GET", path);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`the service answered ${response.status}`);
      return Done.parse(await response.json());
    },
  };
}

function outlast(): Promise<void> {
  return sleep(requestLifeMs + 1);
}
