/** One event of a stream, as the format of server-sent events has it. */
export interface StreamEvent {
  /** The last id that was seen, with this event or before it. */
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

/** An event may be so long; the server's are much shorter. */
const eventCharactersMax = 4 * 1024 * 1024;

/** Reads events from a response as they come. Also yields ids that stand alone, with empty data. @throws RangeError */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<StreamEvent, void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event: { id: string; name: string; data: string[] } = { id: "", name: "message", data: [] };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event without its empty line did not come whole, and does not count
      const lines = `${rest}${value}`.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > eventCharactersMax) throw new RangeError("an event of the stream has no end");
      for (const line of lines) {
        if (line === "") {
          yield { id: event.id, name: event.name, data: event.data.join("\n") };
          event = { id: event.id, name: "message", data: [] };
        } else addField(event, line);
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // it has ended already, or broke: either way nothing more comes
  }
}

function addField(event: { id: string; name: string; data: string[] }, line: string): void {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /u, "");
  if (name === "id") event.id = value;
  if (name === "event") event.name = value;
  if (name === "data") event.data.push(value);
}
