import { TuttiError } from "../base/errors.ts";

const variable = "TUTTI_NETWORK_MODELS";
let forbidders = 0;

/**
 * From now on models beyond this machine are refused in this process, until the returned object is disposed. The variable
 * TUTTI_NETWORK_MODELS=forbid does the same for a whole process. Models on a loopback address, scripted and offline ones go on.
 */
export function forbidNetworkModels(): Disposable {
  forbidders += 1;
  let held = true;
  return {
    [Symbol.dispose]() {
      if (held) forbidders -= 1;
      held = false;
    },
  };
}

/**
 * @param endpoint where the model is asked, `undefined` when nobody can tell: then it counts as beyond this machine
 * @throws TuttiError MODEL_FORBIDDEN, before anything is sent
 */
export function refuseNetwork(model: string, endpoint: string | undefined): void {
  const setting = process.env[variable] ?? "";
  if (setting !== "" && setting !== "allow" && setting !== "forbid") {
    throw new TuttiError("MODEL_FORBIDDEN", `${variable} is "${setting}", which says neither yes nor no`, {
      hint: `Set ${variable} to forbid or allow.`,
      facts: { model },
    });
  }
  if ((setting !== "forbid" && forbidders === 0) || isLoopback(endpoint)) return;
  throw new TuttiError("MODEL_FORBIDDEN", `${model} is beyond this machine, and network models are forbidden here`, {
    hint: `Use a recorded, scripted or offline model, or a server on 127.0.0.1. ${setting === "forbid" ? `${variable}=forbid is set.` : "forbidNetworkModels() was called."}`,
    facts: { model, ...(endpoint === undefined ? {} : { endpoint: new URL(endpoint).host }) },
  });
}

function isLoopback(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
