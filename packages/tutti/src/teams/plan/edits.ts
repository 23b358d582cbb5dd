import { describeThrown } from "../../base/errors.ts";
import { anything, fields, ShapeError, text } from "../../base/shape.ts";
import type { Run } from "../../contracts/run.ts";
import type { Course } from "./course.ts";

/** The signal that brings another version of a plan: `{ "plan": …, "by": "Ada", "why": "…" }`. */
export function toEditSignal(plan: string): string {
  return `plan-edit.${plan}`;
}

/** The signal that tells who planned something new: `{ "news": "…" }`. */
export function toNewsSignal(plan: string): string {
  return `plan-news.${plan}`;
}

const editShape = fields({ plan: anything }, { by: text, why: text });
const newsShape = fields({ news: text });

/** Takes in what people send while a plan runs. Never ends by itself: whoever runs the plan lets go of it. */
export async function listenForEdits(run: Run, name: string, course: Course): Promise<never> {
  const listen = async (signal: string, take: (payload: unknown) => void): Promise<never> => {
    for (;;) {
      const payload = await run.wait<unknown>(signal);
      try {
        take(payload);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        course.refuse(`the signal ${signal} can't be read`, [describeThrown(error)]);
      }
    }
  };
  return Promise.race([
    listen(toEditSignal(name), (payload) => {
      const { plan, by = "somebody", why } = editShape(payload, "");
      course.edit(plan, `edited by ${by}${why === undefined ? "" : `: ${why}`}`);
    }),
    listen(toNewsSignal(name), (payload) => course.tell(newsShape(payload, "").news)),
  ]);
}
