import { expect, test } from "vitest";

import { openStand } from "../../../../test/server/server-fixture.ts";

test("a browser stays signed in over a restart of the server, until it signs out", async () => {
  const files = await openStand();
  const sessionsFile = `${files.folder}/sessions.json`;
  const first = await files.again({ sessionsFile });
  const opened = await first.ask("openSession", { body: { token: first.token("viewer") } });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const headers = { cookie, origin: first.server.url };
  // Somebody else who signs in sends nobody away.
  await first.ask("openSession", { body: { token: first.token("operator") } });
  expect((await first.ask("showSession", { headers })).status).toBe(200);
  const again = await first.again({ sessionsFile, port: first.server.port });
  expect((await again.ask("showSession", { headers })).json).toMatchObject({ name: "viewer" });
  await again.ask("closeSession", { headers });
  expect((await again.ask("showSession", { headers })).status).toBe(401);
});
