import { useEffect, useId, useRef, type ReactNode } from "react";

interface ModalProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** A window in front; the browser itself keeps the focus in it, and Escape closes it. */
export function Modal({ title, close, children }: ModalProps): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    // What is to be filled in comes before the button that closes.
    ref.current?.querySelector<HTMLElement>("form :is(textarea, input, select, button)")?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={close}
      onClick={(event) => {
        if (event.target === event.currentTarget) close();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="quiet" aria-label="Close" onClick={close}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
