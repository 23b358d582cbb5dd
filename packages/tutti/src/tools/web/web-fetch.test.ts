import { createServer } from "node:net";

import { afterEach, describe, expect, test } from "vitest";

import { errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { describeProviderFaults } from "../../../../../test/tools/provider-conformance.ts";
import { verifies } from "../../../../../test/verifies.ts";
import {
  openProviderServer,
  type ProviderAnswer,
  type ProviderRequest,
  type ProviderServer,
} from "../../testing/provider-server.ts";
import { toTinyPdf } from "../../testing/tiny-pdf.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { toSafeLookup, type FoundAddress } from "./safe-address.ts";
import { webFetch, type WebFetchOptions, type WebPage } from "./web-fetch.ts";

const open: ProviderServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(answer: (request: ProviderRequest) => ProviderAnswer): Promise<ProviderServer> {
  const server = await openProviderServer(answer);
  open.push(server);
  return server;
}

const host = toToolHost();

async function fetchPage(url: string, options: WebFetchOptions = { allowHosts: ["127.0.0.1"] }): Promise<WebPage> {
  return webFetch(options).run({ url }, host);
}

const page = (body: string | Uint8Array, type: string): ProviderAnswer => ({
  kind: "answer",
  headers: { "content-type": type },
  body,
});

describe("a page", () => {
  test("is read as text, with its title, and labelled as a stranger's", verifies("K2"), async () => {
    const html =
      "<html><head><title>Flows</title><script>evil()</script></head><body><h1>Flows</h1><p>They last.</p></body></html>";
    const server = await serve(() => page(html, "text/html; charset=utf-8"));
    expect(await fetchPage(`${server.url}/a?b=c#d`)).toEqual({
      url: `${server.url}/a?b=c`,
      title: "Flows",
      text: "Flows\n\nThey last.",
      mediaType: "text/html",
      bytes: Buffer.byteLength(html),
      cut: false,
      trust: "untrusted",
    });
  });

  test("may be a PDF, whatever it says it is", verifies("K2"), async () => {
    const server = await serve(() => page(toTinyPdf(["They last."], "Flows"), "application/octet-stream"));
    expect(await fetchPage(server.url)).toMatchObject({ title: "Flows", mediaType: "application/pdf" });
    expect((await fetchPage(server.url)).text).toContain("They last.");
  });

  test.each([
    { of: "an encoding that its header names", type: "text/html; charset=iso-8859-15", body: [0xa4], text: "€" },
    { of: "an encoding that its head names", type: "text/html", body: '<meta charset="iso-8859-15">\u00a4', text: "€" },
    { of: "UTF-16 with a mark", type: "text/plain", body: Buffer.from("\ufeffÄpfel", "utf16le"), text: "Äpfel" },
    {
      of: "an encoding that does not exist",
      type: "text/plain; charset=klingon",
      body: Buffer.from("Äpfel"),
      text: "Äpfel",
    },
    { of: "no type at all", type: "", body: Buffer.from("<!doctype html><p>Äpfel"), text: "Äpfel" },
    { of: "JSON", type: "application/ld+json", body: '{"a": 1}', text: '{"a": 1}' },
  ])("in $of is read", async ({ type, body, text }) => {
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : Buffer.from(body);
    const server = await serve(() => page(bytes, type));
    expect((await fetchPage(server.url)).text).toBe(text);
  });

  test("that is too long is cut, and says so", async () => {
    const server = await serve(() => page("0123456789", "text/plain"));
    const cut = await fetchPage(server.url, { allowHosts: ["127.0.0.1"], textMax: 4 });
    expect(cut).toMatchObject({ text: "0123", cut: true, bytes: 10 });
  });

  test.each([
    ["that has no words", page(Buffer.from([0x89, 0x50]), "image/png"), "TOOL_FAILED"],
    ["that says nothing", page("<html><script>1</script></html>", "text/html"), "TOOL_EMPTY"],
    ["that is a damaged PDF", page("%PDF-1.4 nothing more", "application/pdf"), "TOOL_ANSWER_INVALID"],
    ["that is not there", { kind: "answer", status: 404, body: "" }, "TOOL_FAILED"],
    ["that wants a login", { kind: "answer", status: 401, body: "" }, "TOOL_FAILED"],
  ] as const)(
    "%s is an error that a model can act on or a step repeat, and never an empty success",
    async (_, answer, code) => {
      const server = await serve(() => answer);
      const error = await errorOf(fetchPage(server.url));
      expect(error).toMatchObject({ code, effect: "none" });
      expect(error.hint).toBeDefined();
    },
  );
});

test.each([
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0177.0.0.1/",
  "http://127.0.0.1.:80/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[::127.0.0.1]/",
  "http://[fd00:ec2::254]/",
  "http://[fe80::1]/",
  "http://0.0.0.0/",
  "http://[::]/",
  "http://10.0.0.1/",
  "http://172.31.255.255/",
  "http://192.168.1.1/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://168.63.129.16/",
  "http://255.255.255.255/",
  "http://localhost/",
  "http://ⓛocalhost/",
])("a fetch does not reach into private networks: %s is refused before anything is sent", async (url) => {
  expect(await errorOf(fetchPage(url, {}))).toMatchObject({
    code: "TOOL_FAILED",
    message: expect.stringContaining("is not on the public internet"),
  });
});

test.each([
  ["file:///etc/passwd", "is not the web"],
  ["ftp://example.org/", "is not the web"],
  ["data:text/plain,hello", "is not the web"],
  ["http://user:secret@example.org/", "a name or password"],
  ["not an address", "not an address"],
])("a fetch of %s is refused", async (url, why) => {
  const error = await errorOf(fetchPage(url, {}));
  expect(error).toMatchObject({ code: "TOOL_FAILED", message: expect.stringContaining(why) });
  expect(error.message).not.toContain("secret");
});

const answers = (...addresses: readonly string[]): WebFetchOptions => ({
  resolve: async () => addresses.map((address): FoundAddress => ({ address, family: address.includes(":") ? 6 : 4 })),
});

test("a name is refused when any of its addresses is private", async () => {
  for (const addresses of [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["2606:4700::1", "fd00::1"]]) {
    const error = await errorOf(fetchPage("http://rebind.example/", answers(...addresses)));
    expect(error).toMatchObject({ code: "TOOL_FAILED", message: expect.stringContaining("public internet") });
  }
  expect(await errorOf(fetchPage("http://nowhere.example/", answers()))).toMatchObject({ code: "TOOL_UNAVAILABLE" });
});

test("a name that answers differently the second time gains nothing: only the checked addresses are ever used", async () => {
  const found = ["93.184.215.14", "127.0.0.1"].map((address): FoundAddress[] => [{ address, family: 4 }]);
  let asked = 0;
  const resolve = async (): Promise<FoundAddress[]> => found[asked++] ?? [];
  const guard = { resolve, allowed: new Set<string>() };
  const lookup = await toSafeLookup(new URL("http://rebind.example/"), guard, host.signal);
  for (const all of [true, false, true]) {
    const answered = await new Promise((resolved) => {
      lookup("rebind.example", { all }, (_, address) => resolved(address));
    });
    expect(answered).toEqual(all ? found[0] : "93.184.215.14");
  }
  expect(asked).toBe(1);
});

test("an allowed name is connected to at the address that was found for it, and asked for once", async () => {
  const server = await serve(({ headers }) => page(`for ${headers.host}`, "text/plain"));
  const { port } = new URL(server.url);
  let asked = 0;
  const resolve = async (): Promise<FoundAddress[]> => {
    asked += 1;
    return [{ address: "127.0.0.1", family: 4 }];
  };
  const allowed = { resolve, allowHosts: [`Intranet.example:${port}`] };
  const found = await fetchPage(`http://intranet.example:${port}/`, allowed);
  expect(found.text).toBe(`for intranet.example:${port}`);
  expect(asked).toBe(1);
  const elsewhere = await errorOf(fetchPage("http://intranet.example:1/", allowed));
  expect(elsewhere.message).toContain("public internet");
});

test("a redirect is checked like the first address", async () => {
  const inside = await serve(() => page("secret", "text/plain"));
  const server = await serve(({ path }) => ({
    kind: "answer",
    status: 302,
    headers: { location: path === "/file" ? "file:///etc/passwd" : `${inside.url.replace("127.0.0.1", "localhost")}/` },
    body: "",
  }));
  for (const [path, why] of [
    ["/inside", "public internet"],
    ["/file", "is not the web"],
  ] as const) {
    const error = await errorOf(fetchPage(`${server.url}${path}`));
    expect(error).toMatchObject({ code: "TOOL_FAILED", message: expect.stringContaining(why) });
  }
  expect(inside.requests).toEqual([]);
});

test("redirects are followed a few times, and then no more", async () => {
  const server = await serve(({ path }) => {
    const left = Number(path.slice(1));
    if (left === 0) return page("here", "text/plain");
    return { kind: "answer", status: 301, headers: { location: `/${left - 1}` }, body: "" };
  });
  expect(await fetchPage(`${server.url}/5`)).toMatchObject({ text: "here", url: `${server.url}/0` });
  expect(await errorOf(fetchPage(`${server.url}/6`))).toMatchObject({ code: "TOOL_FAILED" });
});

const resolveNever = (): Promise<FoundAddress[]> => new Promise(() => {});

test("a resolver that never answers costs no more than the time limit", async () => {
  const error = await errorOf(fetchPage("http://slow.example/", { resolve: resolveNever, timeoutMs: 20 }));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
});

test("a private server that speaks no HTTP is not reached either", async () => {
  let connections = 0;
  const server = createServer(() => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await errorOf(fetchPage(`http://127.0.0.1:${port}/`, {}));
  server.close();
  expect(connections).toBe(0);
});

test("a page is fetched in a durable step, and not again on recovery", verifies("K2", "D2"), async () => {
  const server = await serve(() => page("They last.", "text/plain"));
  const tool = webFetch({ allowHosts: ["127.0.0.1"] });
  const reading = plainFlow("reading", async (run) => (await run.call(tool, { url: server.url })).text);
  const stage = openStage();
  const tutti = await stage.open([reading]);
  const run = await tutti.start(reading, null, { id: "r" });
  expect(await run.result()).toBe("They last.");
  const again = await stage.open([reading]);
  expect(await (await again.open("r")).result()).toBe("They last.");
  expect(server.requests).toHaveLength(1);
});

describeProviderFaults("fetch", {
  open: ({ url, timeoutMs, bytesMax }) => {
    const tool = webFetch({ allowHosts: ["127.0.0.1", "nobody.invalid"], timeoutMs, bytesMax });
    return {
      name: "fetch",
      async run(_, faultHost) {
        const { text, mediaType } = await tool.run({ url }, faultHost);
        return { text, mediaType }; // each case has an address of its own
      },
    };
  },
  input: "the page at the address",
  effect: "read",
  good: { headers: { "content-type": "text/plain" }, body: "They last." },
  answers: { kind: "any" },
  followsRedirects: true,
});
