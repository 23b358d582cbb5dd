import { anything, fields, listOf, oneOf, ShapeError, text } from "../../base/shape.ts";
import { compileExpression, OutsideSubset, readEntity, type Compiled } from "./compile-expression.ts";
import { toEntity, toFlag } from "./operand.ts";
import { isIn, type Query } from "./value.ts";

/** A rule as plain code: whether it holds. @throws CedarFault where Cedar reports an error */
export interface CompiledRule {
  /** The actions that it can hold for; all, when it does not say. */
  readonly actions: ReadonlySet<string> | undefined;
  readonly holds: (query: Query) => boolean;
}

const ruleShape = fields({
  principal: fields({ op: text }),
  action: fields({ op: text }),
  resource: fields({ op: text }),
  conditions: listOf(fields({ kind: oneOf("when", "unless"), body: anything })),
});
const scopeShape = fields(
  { op: text },
  { entity: anything, entities: listOf(anything), entity_type: text, in: anything },
);
const group = fields({ entity: anything });

/** Undefined for a rule that only Cedar itself can evaluate: it uses dates, addresses, decimals, tags, or a number that JSON can't hold. */
export function compileRule(json: unknown): CompiledRule | undefined {
  try {
    const source = fields({ principal: anything, action: anything, resource: anything })(json, "rule");
    const conditions = ruleShape(json, "rule").conditions.map(({ kind, body }) => {
      const condition = compileExpression(body);
      return kind === "when" ? condition : (query: Query): boolean => !toFlag(condition(query));
    });
    const principal = compileScope(source.principal, (query) => query.principal.entity);
    const resource = compileScope(source.resource, (query) => query.resource.entity);
    const steps = [principal, resource, ...conditions].filter((step) => step !== undefined);
    return {
      actions: readActions(source.action),
      holds(query) {
        for (const step of steps) if (!toFlag(step(query))) return false;
        return true;
      },
    };
  } catch (error) {
    if (error instanceof OutsideSubset || error instanceof ShapeError) return undefined;
    throw error;
  }
}

function compileScope(json: unknown, of: Compiled): Compiled | undefined {
  const scope = scopeShape(json, "scope");
  switch (scope.op) {
    case "All":
      return undefined;
    case "==": {
      const wanted = readEntity(scope.entity);
      return (query) => toEntity(of(query)).isSame(wanted);
    }
    case "in": {
      const wanted = readEntity(scope.entity);
      return (query) => isIn(query, toEntity(of(query)), wanted);
    }
    case "is": {
      const type = text(scope.entity_type, "type");
      const wanted = scope.in === undefined ? undefined : readEntity(group(scope.in, "in").entity);
      return (query) => {
        const entity = toEntity(of(query));
        return entity.type === type && (wanted === undefined || isIn(query, entity, wanted));
      };
    }
    default:
      throw new OutsideSubset(scope.op);
  }
}

/** No action is in a group of actions, so `in` means one of those that are named. */
export function readActions(json: unknown): ReadonlySet<string> | undefined {
  const scope = scopeShape(json, "action");
  switch (scope.op) {
    case "All":
      return undefined;
    case "==":
      return new Set([readEntity(scope.entity).id]);
    case "in":
      return new Set((scope.entities ?? [scope.entity]).map((entity) => readEntity(entity).id));
    default:
      throw new OutsideSubset(scope.op);
  }
}
