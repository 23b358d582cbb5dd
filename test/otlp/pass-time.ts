import type { Stage } from "../engine/engine-fixture.ts";

/** Lets the stage's time pass until something has happened outside, where real time counts. */
export async function passTimeUntil({ clock }: Stage, happened: Promise<unknown>): Promise<void> {
  const state = { isOver: false };
  void happened.then(() => {
    state.isOver = true;
  });
  while (!state.isOver) await clock.advance(1_000);
}
