/** The look of a page: one column that is easy to read, in light and dark, on screen and paper. */
export const pageStyle = `
:root {
  --paper: #fbfaf7; --ink: #1f1e1b; --soft: #6a675f; --line: #dedad0; --accent: #1c6b62; --wash: #f2efe7;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, "Iowan Old Style", "Palatino Linotype", Georgia, serif;
  --sans: system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #151616; --ink: #e6e3dc; --soft: #9d998f; --line: #33342f; --accent: #74c5b8; --wash: #1d1f1e; }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 18px/1.6 var(--serif); text-rendering: optimizeLegibility; -webkit-text-size-adjust: 100%; }
body { margin: 0; padding: clamp(2.5rem, 8vh, 6rem) clamp(1.25rem, 5vw, 3rem) 4rem; }
main, .provenance { max-width: 38rem; margin: 0 auto; }
h1, h2, p, blockquote, figure, ul, ol, dl { margin: 0; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.18em; }
cite { font-style: normal; }
code { font: 0.86em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.kicker { font: 600 0.72rem/1 var(--sans); letter-spacing: 0.09em; text-transform: uppercase; color: var(--accent); }
h1 { margin-top: 1rem; font-size: clamp(1.9rem, 5.4vw, 2.7rem); line-height: 1.14; letter-spacing: -0.012em; font-weight: 700; text-wrap: balance; }
h2 { font-size: 1.34rem; line-height: 1.3; letter-spacing: -0.005em; text-wrap: balance; }
.lead { margin-top: 1.4rem; font-size: 1.18rem; line-height: 1.52; }
.note { margin-top: 1.1rem; padding-left: 0.9rem; border-left: 3px solid var(--line); font: 0.82rem/1.55 var(--sans); color: var(--soft); }
section { margin-top: 3.2rem; }
.statement { margin-top: 1.5rem; }
.statement > p { margin-bottom: 0.75rem; }
blockquote { padding-left: 1.1rem; border-left: 3px solid var(--accent); }
blockquote p { overflow-wrap: anywhere; }
blockquote p::before { content: "\\201C"; }
blockquote p::after { content: "\\201D"; }
.statement > p + blockquote { font-size: 0.94rem; line-height: 1.55; color: var(--soft); }
blockquote footer { margin-top: 0.35rem; font: 0.78rem/1.4 var(--sans); }
blockquote footer::before { content: "\\2014\\2002"; color: var(--soft); }
figure { margin-top: 2.8rem; padding: 1.3rem 1.4rem 1.2rem; background: var(--wash); border-radius: 8px; }
.figure-title { margin-bottom: 0.9rem; font: 600 0.86rem/1.4 var(--sans); }
.wide { overflow-x: auto; }
.chart { display: block; width: 100%; min-width: 23rem; height: auto; font-family: var(--sans); font-size: 13.5px; font-variant-numeric: tabular-nums; }
.chart .bar { fill: var(--accent); }
.chart .rest { fill-opacity: 0.4; }
.chart .label { fill: var(--ink); }
.chart .value { fill: var(--soft); }
.chart .axis { stroke: var(--line); }
figcaption { margin-top: 0.9rem; font: 0.78rem/1.5 var(--sans); color: var(--soft); }
.open ul, .sources ol, details ul { margin-top: 0.9rem; padding-left: 1.3rem; }
.open li, .sources li, details li { margin-top: 0.5rem; overflow-wrap: anywhere; }
.why { font: 0.78rem/1.5 var(--sans); color: var(--soft); overflow-wrap: anywhere; }
.open .why, .sources li .why { display: block; }
.sources > p { margin-top: 0.6rem; color: var(--soft); }
.sources ol, details { font-size: 0.94rem; }
details { margin-top: 1.2rem; }
summary { cursor: pointer; font: 0.82rem/1.5 var(--sans); color: var(--soft); }
.provenance { margin-top: 4.5rem; padding-top: 1.6rem; border-top: 1px solid var(--line); font: 0.82rem/1.6 var(--sans); }
.provenance h2 { font: 600 0.86rem/1.4 var(--sans); }
.provenance dl { margin-top: 0.9rem; display: grid; grid-template-columns: 5.2rem 1fr; gap: 0.55rem 1rem; }
.provenance dt { color: var(--soft); }
.provenance dd { margin: 0; min-width: 0; }
.provenance dd ul { padding: 0; list-style: none; }
@media (max-width: 34rem) { figure { padding: 1.1rem 1rem; } .provenance dl { grid-template-columns: 1fr; gap: 0.1rem; } .provenance dd { margin-bottom: 0.7rem; } }
@media print { html { background: none; font-size: 11pt; } section, figure, .statement { break-inside: avoid; } }
`;
