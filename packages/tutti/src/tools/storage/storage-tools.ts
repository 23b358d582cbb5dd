import { isTuttiError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { fields, flag, integer, listOf, text } from "../../base/shape.ts";
import type { Tool, ToolHost, ToolReport } from "../../contracts/callable.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { withFailover, type FailoverDefinition } from "../failover.ts";
import type { Provider } from "../provider.ts";
import type { ObjectStore, Provenance, StoredObject } from "./object-store.ts";

/** Either `text` or `base64`. */
export interface PutInput {
  readonly text?: string;
  readonly base64?: string;
  /** `text/plain`, `image/png`. */
  readonly mediaType: string;
  /** What people call it: `report.md`. */
  readonly name?: string;
}

export interface ObjectInput {
  readonly hash: string;
}

/** An object that is not there is an answer, not an error. Text comes as `text`, anything else as `base64`. */
export interface GetOutput extends Partial<StoredObject> {
  readonly found: boolean;
  readonly text?: string;
  readonly base64?: string;
}

export interface HeadOutput extends Partial<StoredObject> {
  readonly found: boolean;
  readonly from?: readonly Provenance[];
}

/** A store as a provider of three capabilities. */
export interface StorageProvider {
  readonly put: Provider<PutInput, StoredObject>;
  readonly get: Provider<ObjectInput, GetOutput>;
  readonly head: Provider<ObjectInput, HeadOutput>;
}

export interface StorageTools {
  readonly put: Tool<PutInput, StoredObject>;
  readonly get: Tool<ObjectInput, GetOutput>;
  readonly head: Tool<ObjectInput, HeadOutput>;
}

/** A store has limits of time of its own, so this only ends what hangs. */
const providerTimeoutMs = 180_000;

/**
 * The tools `storage.put`, `storage.get` and `storage.head` over one store, or over several: content is put into the first that takes it, and
 * looked for in all. A second copy under the same hash is no second effect, so the next store is asked after every failure.
 */
export function storageTools(stores: ObjectStore | readonly ObjectStore[]): StorageTools {
  const all = "put" in stores ? [stores] : stores;
  const providers = all.map(toStorageProvider);
  return {
    put: withFailover<PutInput, StoredObject>({
      name: "storage.put",
      does: "Keeps a text or a file for good and returns its hash, by which it is found again.",
      input: putInput,
      output: storedObject,
      effect: "idempotent",
      harmless: true,
      // Each run stores for itself: the store keeps the content once, and the record of where it came from names every run.
      scope: "run",
      // The name and the media type belong to the key, because an effect of another input is another effect.
      key: (input) => `${hashOf(input)}.${sha256(toCanonicalJson(input)).slice(0, 12)}`,
      providers: providers.map(({ put }) => put),
      providerTimeoutMs,
    }),
    get: lookedFor<GetOutput>({
      name: "storage.get",
      does: "Returns what was stored under a hash.",
      output: getOutput,
      providers: providers.map(({ get }) => get),
    }),
    head: lookedFor<HeadOutput>({
      name: "storage.head",
      does: "Says what is known of a stored object, and which steps stored it, without its content.",
      output: headOutput,
      providers: providers.map(({ head }) => head),
    }),
  };
}

type Looking<Output> = Pick<FailoverDefinition<ObjectInput, Output>, "name" | "does" | "output" | "providers">;

/** Looks in one store after the other. That none has it is an answer only if each of them says so. */
function lookedFor<Output extends { readonly found: boolean }>(looking: Looking<Output>): Tool<ObjectInput, Output> {
  const inTurn = withFailover<ObjectInput, Output>({
    ...looking,
    input: objectInput,
    effect: "read",
    isEmpty: ({ found }) => !found,
    providerTimeoutMs,
  });
  return {
    ...inTurn,
    async run(input, host) {
      let tried: NonNullable<ToolReport["tried"]> = [];
      try {
        return await inTurn.run(input, {
          ...host,
          report(report) {
            tried = report.tried ?? tried;
            host.report(report);
          },
        });
      } catch (error) {
        if (!isTuttiError(error) || error.code !== "TOOL_EMPTY") throw error;
        const unsure = tried.filter(({ code }) => code !== "TOOL_EMPTY");
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both outputs say `found: false` and nothing else of what is not there
        if (unsure.length === 0) return { found: false } as Output;
        throw new TuttiError(
          "TOOL_FAILED",
          `${looking.name}: not every store can tell: ${unsure.map(toWords).join(", ")}`,
          { hint: "Look at these stores: the object may be there.", cause: error },
        );
      }
    },
  };
}

function toWords({ provider, code }: NonNullable<ToolReport["tried"]>[number]): string {
  return `${provider}: ${code}`;
}

/** A store as what a tool is made of. */
export function toStorageProvider(store: ObjectStore): StorageProvider {
  const { name } = store;
  return {
    put: {
      name,
      async run(input, { runId, step, signal, report }) {
        const from = { run: runId, step, ...(input.name === undefined ? {} : { name: input.name }) };
        const stored = await store.put({ content: contentOf(input), mediaType: input.mediaType, from }, signal);
        report({ note: `kept at ${stored.uri}` });
        return stored;
      },
      async check(input, { signal }) {
        const found = await store.head(hashOf(input), signal);
        if (found === undefined) return undefined;
        const { from: _, ...object } = found;
        return object;
      },
    },
    get: { name, run: (input, host) => getFrom(store, input, host) },
    head: {
      name,
      async run({ hash }, { signal }) {
        const found = await store.head(hash, signal);
        return found === undefined ? { found: false } : { found: true, ...found };
      },
    },
  };
}

async function getFrom(store: ObjectStore, { hash }: ObjectInput, { signal }: ToolHost): Promise<GetOutput> {
  const found = await store.get(hash, signal);
  if (found === undefined) return { found: false };
  const { object, content } = found;
  const decoded = isTextual(object.mediaType) ? decode(content) : undefined;
  if (decoded !== undefined) return { found: true, ...object, text: decoded };
  return { found: true, ...object, base64: Buffer.from(content).toString("base64") };
}

function contentOf({ text: plain, base64 }: PutInput): Uint8Array {
  if (plain !== undefined && base64 === undefined) {
    if (plain.isWellFormed()) return Buffer.from(plain, "utf8");
    throw new TuttiError("INPUT_INVALID", "the text holds half of a surrogate pair, which UTF-8 can't keep", {
      hint: "Cut texts between whole characters, or use `base64`.",
    });
  }
  if (base64 !== undefined && plain === undefined) {
    const content = Buffer.from(base64, "base64");
    // Buffer reads on over what is not base64; then something else than was sent would be stored.
    if (content.toString("base64") === base64) return content;
    throw new TuttiError("INPUT_INVALID", "the content is not base64", {
      hint: "Use the standard alphabet with padding, without line breaks.",
    });
  }
  throw new TuttiError("INPUT_INVALID", "the content is missing, or given twice", {
    hint: "Give either `text` or `base64`.",
  });
}

function hashOf(input: PutInput): string {
  return sha256(contentOf(input));
}

function isTextual(mediaType: string): boolean {
  return /^text\/|^application\/(?:[a-z0-9.-]+\+)?(?:json|xml)\b|^image\/svg\+xml/.test(mediaType);
}

function decode(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined; // said to be text, and is not UTF-8: its bytes are handed over as they are
  }
}

const putInput = schemaOf<PutInput>(fields({ mediaType: text }, { text, base64: text, name: text }), {
  type: "object",
  properties: {
    text: { type: "string", description: "The content, if it is text." },
    base64: { type: "string", description: "The content in base64, if it is not text." },
    mediaType: { type: "string", description: "text/plain, text/markdown, image/png …" },
    name: { type: "string", description: "What people call it: report.md." },
  },
  required: ["mediaType"],
  additionalProperties: false,
});

const objectFields = { hash: text, bytes: integer, mediaType: text, uri: text };
const storedObject = schemaOf<StoredObject>(fields(objectFields), { type: "object" });
const objectInput = schemaOf<ObjectInput>(fields({ hash: text }), {
  type: "object",
  properties: { hash: { type: "string", description: "64 hexadecimal digits, as storage.put returned them." } },
  required: ["hash"],
  additionalProperties: false,
});
const getOutput = schemaOf<GetOutput>(fields({ found: flag }, { ...objectFields, text, base64: text }), {
  type: "object",
});
const headOutput = schemaOf<HeadOutput>(
  fields({ found: flag }, { ...objectFields, from: listOf(fields({ run: text, step: text }, { name: text })) }),
  { type: "object" },
);
