/** Collects what is asked for in one turn, however many ask, and does it in one go when whoever asks first has let go of the thread. */
export function inOneGo<Asked>(work: (asked: readonly Asked[]) => void): (one: Asked) => void {
  let collected: Asked[] = [];
  const flush = (): void => {
    const asked = collected;
    collected = [];
    work(asked);
  };
  return (one) => {
    if (collected.push(one) === 1) queueMicrotask(flush);
  };
}
