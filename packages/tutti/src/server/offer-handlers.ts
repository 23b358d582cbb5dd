import { TuttiError } from "../base/errors.ts";
import { toContract } from "../contracts/contract.ts";
import { findJsonSchema } from "../contracts/schema.ts";
import { listEvents, listSubscriptions, listTopics } from "../engine/events/open-events.ts";
import { metricsType } from "../insight/metrics/metrics.ts";
import { listOwnDoubtful, type Handlers } from "./desk.ts";
import { toOpenApi } from "./openapi.ts";

const eventsDefault = 100;

/** What the engine has to offer, what waits for people, and who is there. */
export const offerHandlers: Handlers<
  | "listFlows"
  | "listTools"
  | "showTool"
  | "listDoubtful"
  | "listTopics"
  | "listEvents"
  | "listSubscriptions"
  | "listSchedules"
  | "showSession"
  | "openSession"
  | "closeSession"
  | "describe"
  | "metrics"
  | "health"
  | "ready"
> = {
  async listFlows({ flows }) {
    const shown = flows.filter(({ name }) => !name.startsWith("tool:"));
    return {
      flows: shown.map(({ name, version, input }) => ({ name, version, input: findJsonSchema(input, "input") })),
    };
  },
  listTools: async ({ tools }) => ({ tools: tools.map(({ name, does, effect }) => ({ name, does, effect })) }),
  async showTool({ tools }, { param }) {
    const tool = tools.find(({ name }) => name === param("tool"));
    if (tool === undefined)
      throw new TuttiError("FLOW_UNKNOWN", `there is no tool ${param("tool")}`, {
        hint: "`GET /api/tools` lists them.",
      });
    const { input, output } = tool;
    return {
      contract: toContract(tool),
      input: findJsonSchema(input, "input"),
      output: findJsonSchema(output, "output"),
    };
  },
  listDoubtful: async (desk, { caller }) => ({ effects: await listOwnDoubtful(desk, caller) }),
  listTopics: async ({ tutti }) => ({ topics: await listTopics(tutti.ledger) }),
  async listEvents({ tutti }, { param, query }) {
    const { after = 0, limit = eventsDefault } = query;
    return { events: await listEvents(tutti.ledger, param("topic"), { after, limit }) };
  },
  listSubscriptions: async ({ tutti }) => ({ subscriptions: await listSubscriptions(tutti.ledger) }),
  listSchedules: async ({ tutti }) => ({ schedules: await tutti.schedules.list() }),
  showSession: async (_, { caller: { name, role, tenant } }) => ({ name, role, tenant }),
  async openSession({ callers }, { body }) {
    const { caller, cookie } = await callers.openSession(body.token);
    const { name, role, tenant } = caller;
    return Response.json({ name, role, tenant }, { headers: { "set-cookie": cookie } });
  },
  closeSession: async ({ callers }, { request }) =>
    Response.json({}, { headers: { "set-cookie": callers.closeSession(request) } }),
  describe: async () => toOpenApi(),
  metrics: async ({ metrics }) => new Response(await metrics.read(), { headers: { "content-type": metricsType } }),
  health: async ({ draining }) => ({ status: draining.aborted ? "draining" : "up", pid: process.pid }),
  async ready({ draining, fleet }) {
    const { lsn } = await fleet.catchUp();
    return Response.json(
      { status: draining.aborted ? "draining" : "ready", lsn },
      { status: draining.aborted ? 503 : 200 },
    );
  },
};
