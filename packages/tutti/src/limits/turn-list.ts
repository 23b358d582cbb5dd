/** Somebody whose members wait: its next one is due when its start is the smallest. */
interface Turn<Member> {
  readonly name: string;
  readonly member: Member;
  start: number;
}

/** Of those that nobody waits for any more, the last so many are remembered, so that coming back does not make them new. */
const rememberedMax = 1_000;

/**
 * Whose turn it is, by shares: start-time fair queueing (Goyal, Vin and Cheng, 1996) where each turn costs the same. A turn moves its owner's
 * start on by 1/share; a newcomer starts where the list stands, so that it neither waits for what others had before nor makes up for it.
 */
export class TurnList<Member> {
  private readonly turns = new Map<string, Turn<Member>>();
  private readonly remembered = new Map<string, number>();
  /** The smallest start at the last turn; never goes back. */
  private now = 0;

  get isEmpty(): boolean {
    return this.turns.size === 0;
  }

  /** The member of that name, which joins if it is not there. */
  join(name: string, make: () => Member): Member {
    const known = this.turns.get(name);
    if (known !== undefined) return known.member;
    const start = Math.max(this.now, this.remembered.get(name) ?? 0);
    this.remembered.delete(name);
    const turn = { name, member: make(), start };
    this.turns.set(name, turn);
    return turn.member;
  }

  find(name: string): Member | undefined {
    return this.turns.get(name)?.member;
  }

  /** Whose turn it is; of equals the one that has been here the longest. */
  first(): Member | undefined {
    return this.firstTurn()?.member;
  }

  /** It had a turn, be it its own or one out of order, which is counted too. */
  served(name: string, share: number): void {
    const turn = this.turns.get(name);
    if (turn === undefined) return;
    this.now = Math.max(this.now, this.firstTurn()?.start ?? 0);
    turn.start += 1 / share;
  }

  leave(name: string): void {
    const turn = this.turns.get(name);
    if (turn === undefined) return;
    this.turns.delete(name);
    this.remembered.set(name, turn.start);
    for (const longest of this.remembered.keys()) {
      if (this.remembered.size <= rememberedMax) return;
      this.remembered.delete(longest);
    }
  }

  private firstTurn(): Turn<Member> | undefined {
    let first: Turn<Member> | undefined;
    for (const turn of this.turns.values()) if (first === undefined || turn.start < first.start) first = turn;
    return first;
  }
}
