import { openResources, type Held, type Resources } from "./resources.ts";
import type { Access } from "./roster.ts";

/** A task as the schedule sees it. */
export interface Scheduled {
  readonly id: string;
  /** Tasks that must be over before. */
  readonly after: readonly string[];
  readonly access: Access;
}

/** Decides what runs when. Knows neither time nor the world: the same ends in the same order give the same starts. */
export interface Schedule {
  /** The tasks that may begin now, in order. They count as begun. */
  takeReady(): readonly string[];
  /** The tasks that were held back since it was asked the last time. */
  takeHeld(): readonly Held[];
  /** A task is over, whatever its outcome. */
  end(id: string): void;
  /** How many have begun and are not over. */
  readonly running: number;
  /** How many are not over. */
  readonly left: number;
  /** How often a task was looked at: what the bench and the tests count instead of time. */
  readonly looks: number;
}

/**
 * All the parallelism that dependencies, declared reads and writes, and the limit allow: whenever `takeReady` has answered, every task that
 * is free to run and does not is kept by a running one, or by the limit. Each task is looked at once for each of the others that it waited for.
 * Those in `begun` are at work already.
 */
export function openSchedule(
  tasks: readonly Scheduled[],
  concurrency: number,
  begun: readonly string[] = [],
): Schedule {
  return new OpenSchedule(tasks, concurrency, begun);
}

class OpenSchedule implements Schedule {
  running = 0;
  left: number;
  looks = 0;
  private readonly taskById: ReadonlyMap<string, Scheduled>;
  private readonly waitingFor = new Map<string, number>();
  private readonly followers = new Map<string, string[]>();
  private readonly concurrency: number;
  private readonly resources: Resources;
  private readonly begun = new Set<string>();
  private ready: Candidate[] = [];
  /** The next of `ready`: taking from the front of a list costs its length. */
  private next = 0;
  private held: Held[] = [];

  private readonly over = new Set<string>();

  constructor(tasks: readonly Scheduled[], concurrency: number, begun: readonly string[]) {
    this.taskById = new Map(tasks.map((task) => [task.id, task]));
    this.concurrency = concurrency;
    this.left = tasks.length;
    this.resources = openResources(tasks.map(({ id }) => id));
    for (const id of begun) this.tryToBegin(id);
    for (const { id, after } of tasks) {
      this.waitingFor.set(id, after.length);
      if (after.length === 0 && !this.begun.has(id)) this.ready.push({ id, wokenBy: undefined });
      for (const before of after) {
        const followers = this.followers.get(before);
        if (followers === undefined) this.followers.set(before, [id]);
        else followers.push(id);
      }
    }
  }

  takeReady(): readonly string[] {
    const taken: string[] = [];
    while (this.running < this.concurrency) {
      const candidate = this.ready[this.next];
      if (candidate === undefined) break;
      this.next += 1;
      if (this.tryToBegin(candidate.id)) taken.push(candidate.id);
      // Whether it took what it was woken for or not: others may wait for the same.
      if (candidate.wokenBy !== undefined) this.wake(candidate.wokenBy);
    }
    if (this.next === this.ready.length) {
      this.ready = [];
      this.next = 0;
    }
    return taken;
  }

  takeHeld(): readonly Held[] {
    const { held } = this;
    this.held = [];
    return held;
  }

  end(id: string): void {
    const task = this.taskById.get(id);
    if (task === undefined || this.over.has(id)) return;
    this.over.add(id);
    this.left -= 1;
    if (this.begun.delete(id)) {
      this.running -= 1;
      for (const resource of this.resources.release(id, task.access)) this.wake(resource);
    }
    for (const follower of this.followers.get(id) ?? []) {
      this.looks += 1;
      const left = (this.waitingFor.get(follower) ?? 0) - 1;
      this.waitingFor.set(follower, left);
      if (left === 0 && !this.begun.has(follower)) this.ready.push({ id: follower, wokenBy: undefined });
    }
  }

  private tryToBegin(id: string): boolean {
    const task = this.taskById.get(id);
    if (task === undefined || this.over.has(id)) return false;
    this.looks += 1;
    const obstacle = this.resources.tryToTake(id, task.access);
    if (obstacle !== undefined) {
      if (obstacle.isNew) this.held.push({ id, ...obstacle.held });
      return false;
    }
    this.begun.add(id);
    this.running += 1;
    return true;
  }

  private wake(resource: string): void {
    const id = this.resources.nextFor(resource);
    if (id !== undefined) this.ready.push({ id, wokenBy: resource });
  }
}

interface Candidate {
  readonly id: string;
  /** The resource that became free for it. */
  readonly wokenBy: string | undefined;
}
