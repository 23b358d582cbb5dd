import { ShapeError, type Shape } from "../../base/shape.ts";
import { toCorruptError } from "./sqlite-errors.ts";

/** A state that is stored as JSON. @throws TuttiError LEDGER_CORRUPT */
export function parseState<Value>(shape: Shape<Value>, state: unknown, what: string): Value {
  try {
    return shape(JSON.parse(String(state)), "");
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof SyntaxError)) throw error;
    throw toCorruptError(`${what} is damaged: ${error.message}`, { facts: { what }, cause: error });
  }
}
