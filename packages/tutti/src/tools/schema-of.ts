import type { Shape } from "../base/shape.ts";
import type { Schema } from "../contracts/schema.ts";

/** A Standard Schema made by hand: a schema library would weigh more than the tools that need one. */
export function schemaOf<Value>(shape: Shape<Value>, jsonSchema: Record<string, unknown>): Schema<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "tutti",
      validate(value) {
        try {
          return { value: shape(value, "") };
        } catch (error) {
          return { issues: [{ message: error instanceof Error ? error.message : String(error) }] };
        }
      },
      jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
    },
  };
}
