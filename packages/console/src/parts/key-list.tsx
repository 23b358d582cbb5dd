import { useState, type ReactNode } from "react";

import { presentKeys } from "../data/keys.ts";
import { Modal } from "./modal.tsx";

const names: Readonly<Record<string, string>> = { ArrowRight: "→", ArrowLeft: "←", Enter: "↵", Escape: "Esc" };

/** What every key does on the screen behind it. */
export function KeyList({ close }: { readonly close: () => void }): ReactNode {
  const [keys] = useState(presentKeys);
  return (
    <Modal title="What the keys do" close={close}>
      <div className="stack">
        <dl className="keys">
          {keys.map(({ key, does }) => [
            <dt key={`${key} key`}>
              <kbd>{names[key] ?? key}</kbd>
            </dt>,
            <dd key={key}>{does}</dd>,
          ])}
        </dl>
      </div>
    </Modal>
  );
}
