import { flow, secret, tool } from "tutti";
import { z } from "zod";

const token = secret({ name: "crm", from: { env: "CRM_TOKEN" }, hosts: ["127.0.0.1"] });

const input = z.object({ url: z.string() });

/** Sends a secret, prints it by mistake, and keeps it to itself otherwise. */
export const contact = tool({
  name: "crm.contact",
  does: "Asks a service that wants a token.",
  input,
  output: z.object({ status: z.number() }),
  effect: "idempotent",
  run: async ({ url }, { signal, idempotencyKey }) => {
    const value = await token.reveal(url, signal);
    // oxlint-disable-next-line no-console -- the mistake that is tried
    console.log(`sends ${value} to ${url}`, token, { headers: { token: value } });
    process.stderr.write(Buffer.from(`debug: ${Buffer.from(`user:${value}`).toString("base64")}\n`));
    const headers = { authorization: `Bearer ${value}`, "idempotency-key": idempotencyKey };
    const response = await fetch(url, { headers, signal, redirect: "error" });
    return { status: response.status };
  },
});

/** Throws all that it knows. */
export const careless = tool({
  name: "crm.careless",
  does: "Asks a service, and fails loudly.",
  input,
  output: z.object({}),
  effect: "read",
  run: async ({ url }, { signal }) => {
    const value = await token.reveal(url, signal);
    throw new Error(`${url} did not take ${value}`, { cause: new Error(`token=${encodeURIComponent(value)}`) });
  },
});

export const asking = flow({
  name: "asking",
  input,
  output: z.number(),
  run: async (run, { url }) => (await run.call(contact, { url })).status,
});

export const failing = flow({
  name: "failing",
  input,
  output: z.object({}),
  run: (run, { url }) => run.call(careless, { url }),
});
