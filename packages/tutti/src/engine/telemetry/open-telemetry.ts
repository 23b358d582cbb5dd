import type { Clock } from "../../base/clock.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openExporter, type Exporter } from "./otlp-exporter.ts";
import type { OtlpOptions } from "./otlp-target.ts";

/** What leaves an engine while it runs. */
export interface TelemetryOptions {
  /** Traces, to any receiver of OTLP over HTTP. */
  readonly otlp?: OtlpOptions;
}

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is sent */
export async function openTelemetry(ledger: Ledger, { otlp }: TelemetryOptions, clock: Clock): Promise<Exporter> {
  const exporter = otlp === undefined ? undefined : await openExporter(ledger, otlp, clock);
  return {
    async close() {
      await exporter?.close();
    },
  };
}
