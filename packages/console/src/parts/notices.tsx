import type { ReactNode } from "react";
import type { ClientError } from "tutti/client";

import { Told } from "./told.tsx";

interface EmptyProps {
  readonly title: string;
  /** It is all that the page has to say. */
  readonly isPage?: boolean;
  readonly children?: ReactNode;
}

/** Nothing is here, why that is fine, and what would change it. */
export function Empty({ title, isPage = false, children }: EmptyProps): ReactNode {
  return (
    <div className="notice">
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      <div className="muted">{children}</div>
    </div>
  );
}

/** What went wrong, with its code and what to do. */
export function Problem({ error, retry }: { readonly error: ClientError; readonly retry?: () => void }): ReactNode {
  return (
    <div className="problem" role="alert">
      <p>
        <strong>
          <Told text={error.message} />
        </strong>{" "}
        <code>{error.code}</code>
      </p>
      {error.hint === undefined ? null : (
        <p>
          <Told text={error.hint} />
        </p>
      )}
      {retry === undefined ? null : (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Holds the place of what is being loaded. */
export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <div className="loading" role="status">
      <span className="unseen">Loading {what}</span>
      <i />
      <i />
      <i />
    </div>
  );
}
