import { useEffect, useState, type ReactNode } from "react";
import type { Session } from "tutti/client";

import { useAnnounced } from "./data/announce.ts";
import { client } from "./data/api.ts";
import { useKeys } from "./data/keys.ts";
import { openLive, useLiveState } from "./data/live.ts";
import { goTo, usePlace } from "./data/place.ts";
import { forgetAnswers, useRemote } from "./data/remote.ts";
import { SessionContext } from "./data/session.ts";
import { nextTheme, useTheme } from "./data/theme.ts";
import { KeyList } from "./parts/key-list.tsx";
import { Link } from "./parts/link.tsx";
import { Empty, Loading, Problem } from "./parts/notices.tsx";
import { screens, toScreen } from "./screens.tsx";
import { SignIn } from "./sign-in.tsx";

/** The console: who is signed in, where the page is, and the screen that belongs there. */
export function App(): ReactNode {
  const session = useRemote("showSession", {});
  const live = useLiveState();
  if (session.error?.status === 401 || live === "refused") return <SignIn signedIn={() => location.reload()} />;
  if (session.value !== undefined) return <Shell session={session.value} />;
  return (
    <main className="sign-in">
      <h1>Tutti</h1>
      {session.error === undefined ? (
        <Loading what="the console" />
      ) : (
        <Problem error={session.error} retry={session.refresh} />
      )}
    </main>
  );
}

function Shell({ session }: { readonly session: Session }): ReactNode {
  const place = usePlace();
  const [isHelp, setHelp] = useState(false);
  useEffect(openLive, []);
  useKeys([
    { key: "?", does: "Show what the keys do", run: () => setHelp(true) },
    { key: "t", does: "Light, dark, or as the system is", run: nextTheme },
    ...screens.map(({ name, parts }, index) => ({
      key: String(index + 1),
      does: name,
      run: () => goTo(`/${parts.join("/")}`),
    })),
  ]);
  const screen = toScreen(place);
  return (
    <SessionContext value={session}>
      <div className="shell">
        <a className="skip" href="#screen">
          Skip to the content
        </a>
        <TopBar session={session} help={() => setHelp(true)} />
        {screen ?? (
          <main id="screen" className="page">
            <Empty title="There is nothing at this address" isPage>
              <Link to={[]}>See the runs</Link>
            </Empty>
          </main>
        )}
        <Toast />
        {isHelp ? <KeyList close={() => setHelp(false)} /> : null}
      </div>
    </SessionContext>
  );
}

interface TopBarProps {
  readonly session: Session;
  readonly help: () => void;
}

function TopBar({ session, help }: TopBarProps): ReactNode {
  const place = usePlace();
  const theme = useTheme();
  const first = place.parts[0] ?? "";
  return (
    <header className="top">
      <Link to={[]} className="brand">
        <img src="/icon.svg" alt="" /> <span>Tutti</span>
      </Link>
      <nav aria-label="Screens">
        {screens.map(({ name, parts, Count }) => (
          <Link key={name} to={parts} isCurrent={(parts[0] ?? "runs") === (first || "runs")}>
            {name}
            {Count === undefined ? null : <Count />}
          </Link>
        ))}
      </nav>
      <LinkState />
      <button type="button" className="quiet" onClick={nextTheme} aria-label={`Colours: ${theme}. Change`}>
        {theme === "system" ? "◐" : theme === "light" ? "○" : "●"}
      </button>
      <button type="button" className="quiet only-wide" onClick={help} aria-label="What the keys do">
        ?
      </button>
      <span className="who muted">
        {session.name} <span>({session.role})</span>
      </span>
      <button
        type="button"
        className="quiet only-wide"
        onClick={() =>
          void client.call("closeSession").finally(() => {
            forgetAnswers();
            location.assign("/");
          })
        }
      >
        Sign out
      </button>
    </header>
  );
}

/** Whether what is shown is followed. What was missed while it was not is read when the server is back. */
function LinkState(): ReactNode {
  const live = useLiveState();
  const isLost = live === "lost";
  return (
    <span className={`link-state${isLost ? " is-lost" : ""}`} role="status">
      <i aria-hidden="true" />
      {isLost ? "Offline, trying again" : live === "open" ? "Live" : "Connecting"}
    </span>
  );
}

function Toast(): ReactNode {
  return (
    <div className="toast" role="status" aria-live="polite">
      {useAnnounced()}
    </div>
  );
}
