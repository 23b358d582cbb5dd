import { useState, type ReactNode } from "react";
import type { ClientError } from "tutti/client";

import { client } from "./data/api.ts";
import { toError } from "./data/remote.ts";
import { readWords } from "./parts/form-words.ts";
import { Problem } from "./parts/notices.tsx";

/** Turns a token into a session. The token itself is kept nowhere. */
export function SignIn({ signedIn }: { readonly signedIn: () => void }): ReactNode {
  const [error, setError] = useState<ClientError>();
  return (
    <main className="sign-in">
      <div>
        <h1>Sign in to Tutti</h1>
        <p className="muted">With a token of this server. Whoever runs it makes one:</p>
      </div>
      <pre className="told">tutti token create --name you --role operator</pre>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const token = readWords(new FormData(event.currentTarget), "token");
          client
            .call("openSession", { body: { token } })
            .then(signedIn, (thrown: unknown) => setError(toError(thrown)));
        }}
      >
        <label>
          Token
          <input name="token" type="password" autoComplete="off" required />
        </label>
        {error === undefined ? null : <Problem error={error} />}
        <button type="submit" className="main">
          Sign in
        </button>
      </form>
    </main>
  );
}
