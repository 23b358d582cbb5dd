import type { PlainText } from "./plain-text.ts";

const pagesMax = 500;
// Errors only to us, nothing to the console.
const silent = { verbosity: 0 } as const;

/** The words of a PDF, page by page. Throws when it is damaged, encrypted or not a PDF. */
export async function readPdf(bytes: Uint8Array): Promise<PlainText> {
  const { extractText, getDocumentProxy, getMeta } = await import("unpdf"); // 1.7 MB that only readers of PDF load
  const document = await getDocumentProxy(new Uint8Array(bytes), silent);
  try {
    if (document.numPages > pagesMax) throw new Error(`it has ${document.numPages} pages; the limit is ${pagesMax}`);
    const { text } = await extractText(document, { mergePages: false });
    const { info } = await getMeta(document);
    const title: unknown = info["Title"];
    return { text: text.join("\n\n"), title: typeof title === "string" ? title : undefined };
  } finally {
    await document.loadingTask.destroy();
  }
}
