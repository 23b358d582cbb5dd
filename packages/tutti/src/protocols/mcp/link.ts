import { systemClock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { toConnectError } from "./call-errors.ts";
import type { Catalog } from "./catalog.ts";
import { openConnection, untilAborted, type Connection } from "./connection.ts";
import type { McpServerOptions } from "./mcp-options.ts";

/** The way to a server, across reconnections. */
export interface Link {
  readonly protocol: string;
  /**
   * An open connection, once the catalog is known to be current. One attempt: what is tried again belongs to the step.
   * @throws TuttiError TOOL_UNAVAILABLE with effect `none` when the signal is aborted first.
   */
  reach(signal: AbortSignal): Promise<Connection>;
  /** The list of tools may be another by now; whoever comes next waits for it. */
  doubt(): void;
  /** Ends the conversation, also one that is just beginning. */
  close(): Promise<void>;
}

/** A server whose tools change all the time is looked at again at the next call. */
const looksMax = 5;

interface State {
  readonly options: McpServerOptions;
  readonly catalog: Catalog;
  readonly closing: AbortController;
  connection: Connection | undefined;
  /** Under way: reaching the server, or asking for its list. Everybody who needs it waits for the same. */
  preparing: Promise<Connection> | undefined;
  /** The list of tools may have changed. */
  isStale: boolean;
}

/** Opens nothing yet: the first to need the server reaches it. */
export function toLink(options: McpServerOptions, catalog: Catalog): Link {
  const closing = new AbortController();
  const state: State = { options, catalog, closing, connection: undefined, preparing: undefined, isStale: true };
  return {
    get protocol() {
      return state.connection?.protocol ?? "";
    },
    reach: (signal) => reach(state, signal),
    doubt() {
      state.isStale = true;
    },
    async close() {
      closing.abort(toClosed(options));
      await state.preparing?.catch(() => undefined); // its own callers are told
      await state.connection?.close();
    },
  };
}

async function reach(state: State, signal: AbortSignal): Promise<Connection> {
  try {
    signal.throwIfAborted();
    return await untilAborted(signal, prepare(state));
  } catch (error) {
    if (!signal.aborted) throw error;
    const { name } = state.options;
    throw new TuttiError("TOOL_UNAVAILABLE", `${name} was not reached in time; nothing was sent`, { cause: error });
  }
}

function prepare(state: State): Promise<Connection> {
  const { connection, closing, preparing } = state;
  if (closing.signal.aborted) return Promise.reject(toClosed(state.options));
  if (preparing !== undefined) return preparing;
  if (connection?.isOpen === true && !connection.isDeaf && !state.isStale) return Promise.resolve(connection);
  state.isStale = true;
  state.preparing = takeList(state).finally(() => {
    state.preparing = undefined;
  });
  return state.preparing;
}

async function takeList(state: State): Promise<Connection> {
  const { catalog, options } = state;
  const before = state.connection?.isOpen === true ? state.connection : undefined;
  let connection = before ?? (await reconnect(state));
  try {
    // A change that is told while the list is on its way may not be in it.
    for (let look = 0; look < looksMax && state.isStale; look++) {
      state.isStale = false;
      try {
        await catalog.update(await connection.listTools());
      } catch (error) {
        // A server may have forgotten a conversation, and be another one by now.
        if (connection !== before) throw error;
        connection = await reconnect(state);
      }
    }
    return connection;
  } catch (error) {
    state.isStale = true;
    throw toConnectError(options.name, connection.takeFault() ?? error, connection.ended);
  }
}

async function reconnect(state: State): Promise<Connection> {
  const { options, closing } = state;
  await state.connection?.close();
  state.connection = await openConnection({
    options,
    clock: options.clock ?? systemClock,
    signal: closing.signal,
    onToolsChanged() {
      state.isStale = true;
      // Looked at now, so that what is quarantined is known; if that fails, the next call meets the error.
      if (state.connection?.isOpen === true) prepare(state).catch(() => undefined);
    },
  });
  state.isStale = true;
  return state.connection;
}

function toClosed({ name }: McpServerOptions): TuttiError {
  return new TuttiError("TOOL_REFUSED", `the MCP server ${name} was closed`);
}
