import type { ReactNode } from "react";

import { changeSearch, usePlace } from "../data/place.ts";

interface PagedProps<Item> {
  /** The word of the address that says where the page begins, so that a page is a link. */
  readonly word: string;
  readonly items: readonly Item[];
  readonly pageMax: number;
  readonly children: (shown: readonly Item[]) => ReactNode;
}

/** A long list, a page at a time, so that no screen becomes slow. */
export function Paged<Item>({ word, items, pageMax, children }: PagedProps<Item>): ReactNode {
  const { search } = usePlace();
  const lastPage = Math.max(0, Math.ceil(items.length / pageMax) - 1);
  const page = Math.min(lastPage, Math.max(0, Math.floor((Number(search[word]) || 0) / pageMax)));
  const from = page * pageMax;
  const goTo = (start: number): void => changeSearch({ [word]: start === 0 ? undefined : start });
  return (
    <>
      {children(items.slice(from, from + pageMax))}
      {lastPage === 0 ? null : (
        <div className="row">
          <button type="button" disabled={page === 0} onClick={() => goTo(from - pageMax)}>
            Before
          </button>
          <button type="button" disabled={page === lastPage} onClick={() => goTo(from + pageMax)}>
            Next
          </button>
          <span className="muted number">
            {from + 1} to {Math.min(items.length, from + pageMax)} of {items.length.toLocaleString("en")}
          </span>
        </div>
      )}
    </>
  );
}
