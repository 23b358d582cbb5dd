import type { SkippedSource } from "tutti/sources";

import { escapeHtml, html, trusted, type Html } from "./html.ts";
import { toShortName, type Links } from "./links.ts";
import { pageStyle } from "./page-style.ts";
import type { Provenance } from "./provenance.ts";
import type { Draft, Problem } from "./shapes.ts";

export interface PageContent {
  readonly topic: string;
  /** Nothing was found when there is none. */
  readonly draft: Draft | undefined;
  readonly chart: { readonly svg: string; readonly title: string; readonly reason: string } | undefined;
  readonly unanswered: readonly string[];
  readonly failed: readonly string[];
  /** Quotes that their sources do not have. */
  readonly leftOut: readonly Problem[];
  readonly links: Links;
  readonly documents: { readonly read: number; readonly skipped: readonly SkippedSource[] };
  readonly made: Provenance & { readonly run: string; readonly ledgerPath: string; readonly at: number };
}

type Section = Draft["sections"][number];

/** One page, whole in itself: nothing is loaded from elsewhere, and every value is escaped. */
export function toPage(content: PageContent): string {
  const { topic, draft, made } = content;
  const title = draft?.title ?? topic;
  const body = html`<main>
      <header>
        <p class="kicker">Brief · <time datetime="${new Date(made.at).toISOString()}">${toDate(made.at)}</time></p>
        <h1>${title}</h1>
        ${
          draft === undefined
            ? toEmptyLead(content)
            : html`<p class="lead">${draft.summary}</p>
                <p class="note">${draft.note}</p>`
        }
      </header>
      ${toFigure(content.chart)} ${(draft?.sections ?? []).map((section) => toSection(section, content))}
      ${toOpenQuestions(content)} ${toSourceList(content)}
    </main>
    ${toFooter(content)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
${body.html}
</body>
</html>
`;
}

function toEmptyLead({ topic, documents, leftOut }: PageContent): Html {
  if (leftOut.length > 0) {
    return html`<p class="lead">No statement about this stood up to the check of its quote.</p>
      <p class="note">Every quote of the draft was compared with its document, and none was found there.</p>`;
  }
  return html`<p class="lead">The documents say nothing about this.</p>
    <p class="note">
      ${count(documents.read, "document")} ${documents.read === 1 ? "was" : "were"} searched for “${topic}”, and no
      sentence answers it. Nothing was made up instead.
    </p>`;
}

function toFigure(chart: PageContent["chart"]): Html {
  if (chart === undefined) return html``;
  return html`<figure>
    <p class="figure-title">${chart.title}</p>
    <div class="wide">${trusted(chart.svg)}</div>
    <figcaption>${chart.reason}</figcaption>
  </figure>`;
}

function toSection(section: Section, content: PageContent): Html {
  return html`<section>
    <h2>${section.heading}</h2>
    ${section.paragraphs.map((paragraph) => toParagraph(paragraph, content.links))}
  </section>`;
}

function toParagraph({ text, quote, source }: Section["paragraphs"][number], links: Links): Html {
  // A statement that only repeats words of its quote would be read twice.
  const isRepeated = toPlain(quote).includes(toPlain(text));
  return html`<div class="statement">
    ${isRepeated ? html`` : html`<p>${text}</p>`}
    <blockquote>
      <p>${quote}</p>
      <footer>${toLink(source, links, quote)}</footer>
    </blockquote>
  </div>`;
}

function toPlain(text: string): string {
  return text
    .replaceAll(/[\s.…]+/g, " ")
    .trim()
    .toLowerCase();
}

function toLink(source: string, links: Links, quote?: string): Html {
  const address = links(source, quote);
  const name = toShortName(source);
  return address === undefined
    ? html`<cite>${name}</cite>`
    : html`<a href="${address}" title="${source}"><cite>${name}</cite></a>`;
}

function toOpenQuestions({ unanswered, failed, leftOut, draft }: PageContent): Html {
  const items = [
    ...unanswered.map((question) => html`<li>${question} <span class="why">No document answers it.</span></li>`),
    ...failed.map(
      (question) => html`<li>${question} <span class="why">The research failed; the ledger says why.</span></li>`,
    ),
    ...leftOut.map(
      ({ quote, source, reason }) =>
        html`<li>A quote was left out: “${quote}” (${toShortName(source)}). <span class="why">${reason}</span></li>`,
    ),
  ];
  if (items.length === 0) return html``;
  return html`<section class="open">
    <h2>${draft === undefined ? "What was asked" : "What stays open"}</h2>
    <ul>
      ${items}
    </ul>
  </section>`;
}

function toSourceList({ draft, links, documents }: PageContent): Html {
  const countBySource = new Map<string, number>();
  for (const { source } of (draft?.sections ?? []).flatMap((section) => section.paragraphs))
    countBySource.set(source, (countBySource.get(source) ?? 0) + 1);
  const quoted = [...countBySource].map(
    ([source, quotes]) =>
      html`<li>${toLink(source, links)} <span class="why">${count(quotes, "quote")} · ${source}</span></li>`,
  );
  const skipped = documents.skipped.map(({ path, why }) => html`<li>${path} <span class="why">${why}</span></li>`);
  return html`<section class="sources">
    <h2>Sources</h2>
    <p>
      ${count(documents.read, "document")} searched, ${countBySource.size}
      quoted${documents.skipped.length === 0 ? "" : `, ${documents.skipped.length} passed over`}.
    </p>
    ${
      quoted.length === 0
        ? html``
        : html`<ol>
            ${quoted}
          </ol>`
    }
    ${
      skipped.length === 0
        ? html``
        : html`<details>
            <summary>What was passed over, and why</summary>
            <ul>
              ${skipped}
            </ul>
          </details>`
    }
  </section>`;
}

function toFooter({ made }: PageContent): Html {
  const agents = made.agents.map(
    ({ name, version, calls }) =>
      html`<li>
        ${name} <span class="why">${count(calls, "call")} · version <code>${version}</code></span>
      </li>`,
  );
  const cost = made.costUsd > 0 ? ` · $${made.costUsd.toFixed(4)}` : "";
  return html`<footer class="provenance">
    <h2>How this page was made</h2>
    <dl>
      <dt>Model</dt>
      <dd>${made.models.join(", ")}</dd>
      <dt>Agents</dt>
      <dd>
        <ul>
          ${agents}
        </ul>
      </dd>
      <dt>Work</dt>
      <dd>
        ${count(made.steps, "step")} · ${count(made.modelCalls, "model call")} · about
        ${made.tokens.toLocaleString("en")} tokens${cost}
      </dd>
      <dt>Run</dt>
      <dd><code>${made.run}</code></dd>
      <dt>Ledger</dt>
      <dd><code>${made.ledgerPath}</code> <span class="why">has every step, with its input, result and cause</span></dd>
    </dl>
  </footer>`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

// In UTC, so that a replay in another time zone writes the same page.
function toDate(at: number): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ""} ${date.getUTCFullYear()}`;
}
