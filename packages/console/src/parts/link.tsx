import type { ReactNode } from "react";

import { followLink, toHref, type Search } from "../data/place.ts";

interface LinkProps {
  readonly to: readonly string[];
  readonly search?: Search | undefined;
  readonly className?: string | undefined;
  readonly isCurrent?: boolean | undefined;
  readonly children: ReactNode;
}

/** A link to another view of the console. */
export function Link({ to, search, className, isCurrent, children }: LinkProps): ReactNode {
  return (
    <a
      href={toHref(to, search)}
      className={className}
      aria-current={isCurrent === true ? "page" : undefined}
      onClick={followLink}
    >
      {children}
    </a>
  );
}
