// An engine that starts a run whose tool never answers, and waits to be killed: `doomed-engine.ts <ledger file> <world>`.
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { openMcpServer } from "../../packages/tutti/src/protocols/mcp/mcp-server.ts";
import { toScript, toWritingFlow } from "./scripts.ts";

const [ledger = "", world = ""] = process.argv.slice(2);
const server = await openMcpServer({ name: "pipe", ...toScript("pipe-server.ts", "well", world) });
const flow = toWritingFlow(server.tool("stall"));
const tutti = await openTutti({ flows: [flow], ledger });
await tutti.run(flow, null, { id: "r" });
