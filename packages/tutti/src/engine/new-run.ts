import type { RunId } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import { toBlobs } from "../flow/step.ts";
import { toBody, toStoredValue } from "../flow/stored-value.ts";
import type { NewRun } from "../ledger/ledger.ts";
import { refuseExposing } from "../ledger/refuse-exposing.ts";

/** What a start asks for. */
export interface RunRequest {
  readonly id: RunId;
  readonly input: unknown;
  readonly key?: string | undefined;
  readonly windowMs?: number | undefined;
  /** What its start says about who starts it, and who pays. */
  readonly payer?: Readonly<Record<string, unknown>>;
}

/**
 * A run as the ledger takes it.
 * @throws TuttiError INPUT_INVALID, VALUE_NOT_STORABLE, SECRET_EXPOSED
 */
export async function toNewRun(flow: Flow, { id, input, key, windowMs, payer }: RunRequest): Promise<NewRun> {
  const what = `the input of ${flow.name}`;
  const stored = toStoredValue("input", await parseWith(flow.input, input, { code: "INPUT_INVALID", what }), what);
  const run: NewRun = {
    id,
    flow: flow.name,
    version: flow.version,
    body: toBody(
      { flow: flow.name, version: flow.version, ...(key === undefined ? {} : { startKey: key }), ...payer },
      stored,
    ),
    ...toBlobs(stored),
    ...(key === undefined ? {} : { startKey: `${flow.name}:${key}` }),
    ...(windowMs === undefined ? {} : { windowMs }),
  };
  refuseExposing(run);
  return run;
}
