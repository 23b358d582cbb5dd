import { toAttacks, toTasks } from "./cases.ts";
import { playAttack, playTask, type Outcome } from "./play-breach.ts";

/** What came of all cases of one source. */
export interface Row {
  readonly source: string;
  readonly blocked: number;
  readonly asked: number;
  readonly done: number;
}

export interface Played {
  readonly attacks: readonly Row[];
  readonly tasks: readonly Row[];
}

export async function playAll(): Promise<Played> {
  const attacks: (readonly [string, Outcome])[] = [];
  for (const attack of toAttacks()) attacks.push([attack.source, await playAttack(attack)]);
  const tasks: (readonly [string, Outcome])[] = [];
  for (const task of toTasks()) tasks.push([task.source, await playTask(task)]);
  return { attacks: toRows(attacks), tasks: toRows(tasks) };
}

function toRows(played: readonly (readonly [string, Outcome])[]): readonly Row[] {
  const sources = [...new Set(played.map(([source]) => source))];
  return sources.map((source) => {
    const outcomes = played.flatMap(([of, outcome]) => (of === source ? [outcome] : []));
    const count = (wanted: Outcome): number => outcomes.filter((outcome) => outcome === wanted).length;
    return { source, blocked: count("blocked"), asked: count("asked"), done: count("done") };
  });
}

/** As the page about labels shows it. */
export function toTable({ attacks, tasks }: Played): string {
  return [
    "| source | attacks | refused | a person was asked | got through | tasks | done without a person |",
    "|---|---|---|---|---|---|---|",
    ...attacks.map(({ source, blocked, asked, done }) => {
      const task = tasks.find((row) => row.source === source) ?? { blocked: 0, asked: 0, done: 0 };
      const cells = [source, blocked + asked + done, blocked, asked, done, task.blocked + task.asked + task.done];
      return `| ${[...cells, task.done].join(" | ")} |`;
    }),
  ].join("\n");
}
