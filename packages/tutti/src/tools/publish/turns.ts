const lastByName = new Map<string, Promise<unknown>>();

/** Work under one name is done one after the other, in the order it was asked for. A failure is nobody else's. */
export async function inTurn<Output>(name: string, work: () => Promise<Output>): Promise<Output> {
  const before = lastByName.get(name);
  const turn = (async () => {
    await before?.catch(() => undefined); // told to whoever asked for it
    return work();
  })();
  lastByName.set(name, turn);
  try {
    return await turn;
  } finally {
    if (lastByName.get(name) === turn) lastByName.delete(name);
  }
}
