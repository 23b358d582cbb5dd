import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { json } from "node:stream/consumers";

import { z } from "zod";

import { Booking, Posting } from "./shapes.ts";

/** One line of the books. What is taken back is not deleted: it gets a line of its own. */
const Line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("booking"), ...Booking.shape }),
  z.object({ kind: z.literal("reversal"), id: z.string() }),
]);

/** A small bookkeeping service: HTTP in front, a file of lines behind. It books whatever it is told, also twice. */
export interface AccountsService {
  readonly url: string;
  close(): Promise<void>;
}

/** `onBooked` is called when a booking is in the file and its answer is not yet sent. */
export async function openAccounts(file: string, onBooked: (count: number) => void): Promise<AccountsService> {
  await mkdir(path.dirname(file), { recursive: true });
  let booked = 0;
  const append = (line: z.infer<typeof Line>): Promise<void> =>
    appendFile(file, `${JSON.stringify(line)}\n`, { flush: true });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://accounts");
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const books = await readBooks(file);
    if (request.method === "POST" && url.pathname === "/bookings") {
      const posting = Posting.safeParse(await json(request));
      if (!posting.success) return send(400, { problem: z.prettifyError(posting.error) });
      const booking = { id: `B-${books.lines + 1}`, ...posting.data };
      await append({ kind: "booking", ...booking });
      onBooked((booked += 1));
      return send(201, booking);
    }
    if (request.method === "GET" && url.pathname === "/bookings")
      return send(
        200,
        books.live.filter(({ reference }) => reference === url.searchParams.get("reference")),
      );
    if (request.method === "GET" && url.pathname === "/spent") {
      const live = books.live.filter(({ costCentre }) => costCentre === url.searchParams.get("costCentre"));
      return send(200, { spentCents: live.reduce((sum, { amountCents }) => sum + amountCents, 0) });
    }
    if (request.method === "DELETE" && url.pathname.startsWith("/bookings/")) {
      const id = url.pathname.slice("/bookings/".length);
      if (books.live.some((booking) => booking.id === id)) await append({ kind: "reversal", id });
      return send(200, {});
    }
    return send(404, { problem: "there is nothing here" });
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the service has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The books as the file has them: every booking, and those that were not taken back. */
export async function readBooks(file: string): Promise<{ lines: number; all: Booking[]; live: Booking[] }> {
  const text = existsSync(file) ? await readFile(file, "utf8") : "";
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Line.parse(JSON.parse(line)));
  const all = lines.flatMap((line) => (line.kind === "booking" ? [Booking.parse(line)] : []));
  const reversed = new Set(lines.flatMap((line) => (line.kind === "reversal" ? [line.id] : [])));
  return { lines: lines.length, all, live: all.filter(({ id }) => !reversed.has(id)) };
}
