import { spawnCell, type Spawned } from "./spawn-cell.ts";
import { inFolder, type Turn } from "./turn.ts";

/** One process leaves runs that wait and is killed; a fresh one gets the answers. */
export function measureReturnAfterKill(turn: Turn): Promise<Spawned> {
  const { entrant, options, limitMs } = turn;
  return inFolder(turn, async (folder) => {
    const assignment = { contestant: entrant.name, folder, options };
    const left = await spawnCell({ ...assignment, cell: "wait" }, { limitMs, killWhenMeasured: true }).ended;
    if (left.kind === "failed") return left;
    return spawnCell({ ...assignment, cell: "return" }, { limitMs }).ended;
  });
}
