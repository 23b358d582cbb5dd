// Runs the film flow on a ledger file until somebody kills it: `killed.ts <ledger> <url> <can-find>`.
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { toFilmFlow, toJobModel } from "./film-flow.ts";

const [ledger = "", url = "", canFind = ""] = process.argv.slice(2);
const film = toFilmFlow(toJobModel(url, canFind === "true"), { pauseMs: 1 });
const tutti = await openTutti({ flows: [film], ledger });
await tutti.run(film, { prompt: "a red cube turns" }, { id: "film-1" });
