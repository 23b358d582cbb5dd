import { errorAnswer } from "../contracts/api/commands.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes } from "../contracts/api/routes.ts";

type Json = { readonly [name: string]: unknown };

/** The interface as OpenAPI 3.1, made from the table that is served. */
export function toOpenApi(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [operation, route] of Object.entries<RouteSpec>(routes)) {
    const path = route.path.replaceAll(/:(\w+)/gu, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(operation, route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Tutti",
      version: "1",
      description: "Runs, their ledger, and what steers them. Errors carry a code of docs/errors.md.",
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "tutti_session" },
      },
      schemas: { Error: errorAnswer.schema },
    },
  };
}

function toOperation(operation: string, route: RouteSpec): Json {
  const { does, role, sees, body, answer } = route;
  const rights = role === "anyone" ? "Needs no token." : `Role: ${role}.${sees === "whole" ? " Not for tenants." : ""}`;
  return {
    operationId: operation,
    summary: does,
    description: rights,
    ...(role === "anyone" ? { security: [] } : {}),
    parameters: toParameters(route),
    ...(body === undefined ? {} : { requestBody: { required: true, content: toJsonContent(body.schema) } }),
    responses: {
      "200": { description: "The answer.", content: toContent(answer) },
      default: { description: "What went wrong.", content: toJsonContent({ $ref: "#/components/schemas/Error" }) },
    },
  };
}

function toParameters({ path, query, isCommand }: RouteSpec): readonly Json[] {
  const required: readonly string[] = query?.schema.required ?? [];
  const inPath = [...path.matchAll(/:(\w+)/gu)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query?.schema.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  const key = { name: "Idempotency-Key", in: "header", required: true, schema: { type: "string", maxLength: 200 } };
  return [...inPath, ...inQuery, ...(isCommand === true ? [key] : [])];
}

const contentTypes = { bytes: "application/octet-stream", events: "text/event-stream", text: "text/plain" } as const;

function toContent(answer: RouteSpec["answer"]): Json {
  return typeof answer === "string" ? { [contentTypes[answer]]: {} } : toJsonContent(answer.schema);
}

function toJsonContent(schema: object): Json {
  return { "application/json": { schema } };
}
