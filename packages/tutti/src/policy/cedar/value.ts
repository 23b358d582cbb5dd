/** A value of Cedar's. A number is a `bigint` only where a `number` would not be exact. */
export type CedarValue = boolean | number | bigint | string | Entity | CedarSet | CedarRecord;

export class Entity {
  readonly type: string;
  readonly id: string;
  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
  }
  isSame(other: Entity): boolean {
    return this === other || (this.id === other.id && this.type === other.type);
  }
}

export class CedarSet {
  readonly items: readonly CedarValue[];
  constructor(items: readonly CedarValue[]) {
    this.items = items;
  }
  has(value: CedarValue): boolean {
    return typeof value === "object" ? this.items.some((item) => isEqual(item, value)) : this.items.includes(value);
  }
}

export class CedarRecord {
  private readonly fields: FieldsByName;
  constructor(fields: FieldsByName) {
    this.fields = fields;
  }
  /** Undefined for a field that is not there. */
  get(name: string): CedarValue | undefined {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }
  entries(): readonly (readonly [string, CedarValue])[] {
    return Object.entries(this.fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
  }
}

/** A field that is undefined is not there. */
type FieldsByName = Readonly<Record<string, CedarValue | undefined>>;

/** An entity with what is known of it. */
export interface KnownEntity {
  readonly entity: Entity;
  readonly attributes: CedarRecord;
  /** What it is in. */
  readonly parents: readonly Entity[];
}

/** A request in Cedar's terms. */
export interface Query {
  readonly principal: KnownEntity;
  readonly action: Entity;
  readonly resource: KnownEntity;
  readonly context: CedarRecord;
}

/** As Cedar's `==`: values of different types are different; sets are equal if each holds all of the other. */
export function isEqual(left: CedarValue, right: CedarValue): boolean {
  if (left === right) return true;
  if (left instanceof Entity) return right instanceof Entity && left.isSame(right);
  if (left instanceof CedarSet)
    return (
      right instanceof CedarSet &&
      left.items.every((item) => right.has(item)) &&
      right.items.every((item) => left.has(item))
    );
  if (!(left instanceof CedarRecord) || !(right instanceof CedarRecord)) return false;
  const fields = left.entries();
  if (fields.length !== right.entries().length) return false;
  for (const [name, value] of fields) {
    const other = right.get(name);
    if (other === undefined || !isEqual(value, other)) return false;
  }
  return true;
}

/** What is known of an entity in a query; most entities that a rule names are not in it. */
export function findKnown(query: Query, entity: Entity): KnownEntity | undefined {
  if (query.principal.entity.isSame(entity)) return query.principal;
  return query.resource.entity.isSame(entity) ? query.resource : undefined;
}

/** As Cedar's `in`: the entity itself, or one that it is in. */
export function isIn(query: Query, entity: Entity, group: Entity): boolean {
  return entity.isSame(group) || findKnown(query, entity)?.parents.some((parent) => parent.isSame(group)) === true;
}
