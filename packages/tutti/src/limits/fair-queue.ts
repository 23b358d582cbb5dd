import { must } from "../base/assert.ts";
import { priorities } from "../contracts/run-record.ts";
import type { Standing } from "./standing.ts";
import { TurnList } from "./turn-list.ts";

/** After so many turns in a row that passed over whoever has waited the longest, the next one is theirs. */
const passedOverMax = 9;

interface Lane<Item> {
  readonly items: Set<Item>;
}

type Flows<Item> = TurnList<Lane<Item>>;

/**
 * Those who wait for something, in the order in which they get it: the higher priority first; of one priority tenants by their shares, of one
 * tenant flows by theirs; of one flow first come, first served. One turn in ten at least is that of whoever has waited the longest of all, so
 * whoever finds n others waiting is served within 10 (n + 1) turns, whatever comes later. Decided by the arrivals alone: there is no clock.
 */
export class FairQueue<Item extends { readonly standing: Standing }> {
  private readonly bands: TurnList<Flows<Item>>[] = priorities.flatMap(() => [new TurnList(), new TurnList()]);
  /** All of them in the order in which they came. */
  private readonly arrived = new Set<Item>();
  private passedOver = 0;

  get size(): number {
    return this.arrived.size;
  }

  /** In the order in which they came. */
  values(): Iterable<Item> {
    return this.arrived;
  }

  has(item: Item): boolean {
    return this.arrived.has(item);
  }

  add(item: Item): void {
    const { tenant, flow } = item.standing;
    const flows = this.bandOf(item).join(tenant, () => new TurnList());
    flows.join(flow, () => ({ items: new Set() })).items.add(item);
    this.arrived.add(item);
  }

  /** Who is next; the same one until somebody comes, leaves or is taken. */
  next(): Item | undefined {
    if (this.passedOver >= passedOverMax) return firstOf(this.arrived);
    const band = this.bands.findLast((each) => !each.isEmpty);
    const lane = band?.first()?.first();
    return lane === undefined ? undefined : firstOf(lane.items);
  }

  /** Gives the next one its turn. */
  take(): Item | undefined {
    const item = this.next();
    if (item === undefined) return undefined;
    const { tenant, tenantShare, flow, flowShare } = item.standing;
    this.passedOver = item === firstOf(this.arrived) ? 0 : this.passedOver + 1;
    const band = this.bandOf(item);
    band.find(tenant)?.served(flow, flowShare);
    band.served(tenant, tenantShare);
    this.remove(item);
    return item;
  }

  /** Takes it out without a turn. */
  remove(item: Item): void {
    if (!this.arrived.delete(item)) return;
    const { tenant, flow } = item.standing;
    const band = this.bandOf(item);
    const flows = band.find(tenant);
    const lane = flows?.find(flow);
    lane?.items.delete(item);
    if (lane?.items.size === 0) flows?.leave(flow);
    if (flows?.isEmpty === true) band.leave(tenant);
  }

  private bandOf({ standing }: Item): TurnList<Flows<Item>> {
    const at = priorities.indexOf(standing.priority) * 2 + (standing.hasBegun ? 1 : 0);
    return must(this.bands[at], "every priority has its bands");
  }
}

function firstOf<Item>(items: ReadonlySet<Item>): Item | undefined {
  const [first] = items;
  return first;
}
