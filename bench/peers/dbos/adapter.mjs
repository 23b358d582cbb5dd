// DBOS Transact on a private PostgreSQL.
import { basename } from "node:path";

import { DBOS } from "@dbos-inc/dbos-sdk";

import { askPostgres, ensureDatabase, toPostgresUrl } from "../../postgres.ts";

// DBOS wants its workflows registered before it is launched, once per process.
let work;

const step = (id, index) => DBOS.runStep(() => Promise.resolve(work.step(id, index)), { name: "step" });

const workflows = {
  chain: DBOS.registerWorkflow(
    async (id, count) => {
      for (let index = 0; index < count; index++) {
        await step(id, index);
        work.acknowledged(id, index);
      }
      return count;
    },
    { name: "chain" },
  ),
  fanOut: DBOS.registerWorkflow(
    async (id, count) => (await Promise.all(Array.from({ length: count }, (_, index) => step(id, index)))).length,
    { name: "fanOut" },
  ),
};

const park = DBOS.registerWorkflow(
  async (id) => {
    await step(id, 0);
    await DBOS.setEvent("parked", 1);
    await DBOS.recv("human", 3_600);
    work.continued(id);
    await step(id, 1);
  },
  { name: "park" },
);

export async function open(opening) {
  work = opening.work;
  const database = `dbos_${basename(opening.folder).replaceAll(/\W/g, "_").toLowerCase()}`;
  ensureDatabase(database);
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: toPostgresUrl(database),
    logLevel: "error",
    executorID: "bench",
    applicationVersion: "1",
  });
  await DBOS.launch();
  const start = async (workflow, id, ...input) => {
    const handle = await DBOS.startWorkflow(workflow, { workflowID: id })(...input);
    return handle.getResult();
  };
  return {
    chain: ({ id, count }) => start(workflows.chain, id, id, count),
    fanOut: ({ id, count }) => start(workflows.fanOut, id, id, count),
    async park(id) {
      await DBOS.startWorkflow(park, { workflowID: id })(id);
      await DBOS.getEvent(id, "parked", 60);
    },
    async signal(id, delivery) {
      await DBOS.send(id, "yes", "human", delivery);
      return DBOS.retrieveWorkflow(id).getResult();
    },
    async resume({ id, count }, shape) {
      const known = await DBOS.getWorkflowStatus(id);
      if (known === null) return start(workflows[shape], id, id, count);
      return DBOS.retrieveWorkflow(id).getResult();
    },
    bytes: () => Number(askPostgres(`select pg_database_size('${database}')`)),
    async close() {
      await DBOS.shutdown();
      if (!opening.keep) askPostgres(`drop database if exists "${database}" with (force)`);
    },
  };
}
