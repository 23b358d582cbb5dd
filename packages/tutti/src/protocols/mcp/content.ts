import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";

import { fromJsonSchema } from "./json-schema.ts";

/** What a tool without an output schema returned, as plain JSON. */
export interface McpContent {
  /** Everything that it said in words. */
  readonly text: string;
  /** Everything else, in its order. */
  readonly parts: readonly McpPart[];
  /** Data that it returned without having declared its shape. */
  readonly structured?: unknown;
}

/** `data` and `blob` are base64. */
export type McpPart =
  | { readonly kind: "image" | "audio"; readonly mimeType: string; readonly data: string }
  | {
      readonly kind: "resource";
      readonly uri: string;
      readonly mimeType?: string;
      readonly text?: string;
      readonly blob?: string;
    }
  | { readonly kind: "link"; readonly uri: string; readonly name: string; readonly mimeType?: string };

export const contentSchema = fromJsonSchema({
  type: "object",
  properties: {
    text: { type: "string" },
    parts: { type: "array", items: { type: "object", properties: { kind: { type: "string" } }, required: ["kind"] } },
    structured: {},
  },
  required: ["text", "parts"],
});

export function toContent(result: CallToolResult): McpContent {
  return {
    text: toText(result),
    parts: result.content.flatMap(toPart),
    ...(result.structuredContent === undefined ? {} : { structured: result.structuredContent }),
  };
}

export function toText({ content }: CallToolResult): string {
  return content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

function toPart(block: ContentBlock): McpPart[] {
  switch (block.type) {
    case "text":
      return [];
    case "image":
    case "audio":
      return [{ kind: block.type, mimeType: block.mimeType, data: block.data }];
    case "resource": {
      const { resource } = block;
      const body = "text" in resource ? { text: resource.text } : { blob: resource.blob };
      return [{ kind: "resource", uri: resource.uri, ...toMimeType(resource), ...body }];
    }
    case "resource_link":
      return [{ kind: "link", uri: block.uri, name: block.name, ...toMimeType(block) }];
  }
}

function toMimeType({ mimeType }: { readonly mimeType?: string | undefined }): { readonly mimeType?: string } {
  return mimeType === undefined ? {} : { mimeType };
}
