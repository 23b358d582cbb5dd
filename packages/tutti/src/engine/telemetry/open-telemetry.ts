import type { Clock } from "../../base/clock.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { AlertOptions } from "./alert-options.ts";
import { openAlerts } from "./open-alerts.ts";
import { openExporter } from "./otlp-exporter.ts";
import type { OtlpOptions } from "./otlp-target.ts";

/** What leaves an engine while it runs. */
export interface TelemetryOptions {
  /** Traces, to any receiver of OTLP over HTTP. */
  readonly otlp?: OtlpOptions;
  /** Who is told when something is wrong. */
  readonly alerts?: AlertOptions;
}

interface Open {
  close(): Promise<void>;
}

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is sent */
export async function openTelemetry(ledger: Ledger, { otlp, alerts }: TelemetryOptions, clock: Clock): Promise<Open> {
  const open: Open[] = [];
  const close = async (): Promise<void> => void (await Promise.all(open.map((each) => each.close())));
  try {
    if (alerts !== undefined) open.push(await openAlerts(ledger, alerts, clock));
    if (otlp !== undefined) open.push(await openExporter(ledger, otlp, clock));
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}
