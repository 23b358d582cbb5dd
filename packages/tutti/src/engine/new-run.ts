import { TuttiError } from "../base/errors.ts";
import { mintGrant } from "../contracts/grant.ts";
import type { RunId } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import { joinLabels, noLabels, toLabelField, type Labels } from "../flow/labels.ts";
import { toBlobs } from "../flow/step.ts";
import { toBody, toStoredValue, type StoredValue } from "../flow/stored-value.ts";
import type { NewRun } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";
import type { Engine } from "./engine-parts.ts";

/** What a start asks for. */
export interface RunRequest {
  readonly id: RunId;
  readonly input: unknown;
  readonly key?: string | undefined;
  readonly windowMs?: number | undefined;
  /** What its start says about who starts it, and who pays. */
  readonly payer?: Readonly<Record<string, unknown>> & { readonly by?: string; readonly tenant?: string | undefined };
  /** What knows the grants that it begins with. */
  readonly engine: Pick<Engine, "grants" | "clock">;
}

/**
 * A run as the ledger takes it.
 * @throws TuttiError INPUT_INVALID, VALUE_NOT_STORABLE, SECRET_EXPOSED
 */
export function toNewRun(flow: Flow, request: RunRequest): NewRun | Promise<NewRun> {
  const what = `the input of ${flow.name}`;
  const parsed = parseWith(flow.input, request.input, { code: "INPUT_INVALID", what });
  const make = (input: unknown): NewRun => makeNewRun(flow, request, toStoredValue("input", input, what));
  return parsed instanceof Promise ? parsed.then(make) : make(parsed);
}

function makeNewRun(flow: Flow, { id, key, windowMs, payer, engine }: RunRequest, stored: StoredValue): NewRun {
  const { by, tenant } = payer ?? {};
  const grant = mintGrant(engine.grants, { run: id, flow: flow.name, by, tenant, now: engine.clock.now() });
  const run: NewRun = {
    id,
    flow: flow.name,
    version: flow.version,
    body: toBody(
      {
        flow: flow.name,
        version: flow.version,
        ...(key === undefined ? {} : { startKey: key }),
        ...payer,
        ...(grant === undefined ? {} : { grant }),
      },
      stored,
    ),
    ...toBlobs(stored),
    ...(key === undefined ? {} : { startKey: `${flow.name}:${key}` }),
    ...(windowMs === undefined ? {} : { windowMs }),
  };
  refuseExposing(run);
  return run;
}

const inputLabelsMax = 100;

/** What a start says about its input. @throws INPUT_INVALID */
export function toInputLabels(labels: Labels = noLabels): { readonly labels?: Labels } {
  if (labels.length <= inputLabelsMax && labels.every((label) => typeof label === "string" && label.trim() !== ""))
    return toLabelField(joinLabels(labels));
  throw new TuttiError("INPUT_INVALID", "the labels of a run's input are no short list of words", {
    hint: `Give at most ${inputLabelsMax} words: ["untrusted", "personal"].`,
  });
}
