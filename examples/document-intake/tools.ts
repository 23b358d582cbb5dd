import { tool, TuttiError, type Tool } from "tutti";
import { z } from "zod";

import { Booking, Posting } from "./shapes.ts";

export interface AccountTools {
  readonly findBooking: Tool<{ reference: string }, { booking: Booking | null }>;
  readonly readSpent: Tool<{ costCentre: string }, { spentCents: number }>;
  readonly post: Tool<Posting, Booking>;
}

/** What may be done with the books: look, book once, take back. */
export function toAccountTools(url: string): AccountTools {
  const find = async (reference: string, signal: AbortSignal): Promise<Booking | undefined> => {
    const query = new URLSearchParams({ reference });
    return z.array(Booking).parse(await ask(`${url}/bookings?${query.toString()}`, { signal }))[0];
  };
  return {
    findBooking: tool({
      name: "accounts.find",
      does: "Finds the booking of an invoice.",
      input: z.object({ reference: z.string() }),
      output: z.object({ booking: Booking.nullable() }),
      effect: "read",
      run: async ({ reference }, { signal }) => ({ booking: (await find(reference, signal)) ?? null }),
    }),
    readSpent: tool({
      name: "accounts.spent",
      does: "Says what is booked on a cost centre.",
      input: z.object({ costCentre: z.string() }),
      output: z.object({ spentCents: z.number().int() }),
      effect: "read",
      async run({ costCentre }, { signal }) {
        const query = new URLSearchParams({ costCentre });
        return z
          .object({ spentCents: z.number().int() })
          .parse(await ask(`${url}/spent?${query.toString()}`, { signal }));
      },
    }),
    post: tool({
      name: "accounts.post",
      does: "Books an invoice.",
      input: Posting,
      output: Booking,
      effect: "once", // the service would book it twice
      key: ({ reference }) => reference,
      async run(posting, { signal }) {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify(posting);
        return Booking.parse(await ask(`${url}/bookings`, { method: "POST", headers, body, signal }));
      },
      // Asked when a crash left open whether it was booked.
      check: async ({ reference }, { signal }) => find(reference, signal),
      async undo({ id }, { signal }) {
        await ask(`${url}/bookings/${encodeURIComponent(id)}`, { method: "DELETE", signal });
      },
    }),
  };
}

/** What the service refused has not happened. After any other fault nobody knows: that error is left as it is. */
async function ask(url: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(url, request);
  if (response.ok) return response.json();
  const text = await response.text();
  if (response.status < 500) throw new TuttiError("TOOL_FAILED", `the books refused it: ${text}`);
  throw new Error(`the books answered ${response.status}: ${text}`);
}
