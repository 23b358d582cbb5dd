import {
  isCode,
  isNode,
  isTest,
  lineAt,
  literalText,
  parseFile,
  type Finding,
  type Rule,
  type SyntaxNode,
  type TidyFile,
} from "./source.ts";

/** Planted faults are text, not code; these files hold them. */
const plantsFaults = (file: TidyFile): boolean => /^test\/(tidy|gates)(-[a-z]+)?\.test\.ts$/.test(file.path);
const code = (files: readonly TidyFile[]): TidyFile[] => files.filter((file) => isCode(file) && !plantsFaults(file));

const tail = String.raw`(\s+(as\s+)?\w+)?\s*($|;|\)|,|\b(where|order|group|limit|join|left|inner|cross|union)\b)`;
const sql = new RegExp(
  `^\\s*(${[
    String.raw`select\s[\s\S]+\sfrom\s+(?!(the|a|an|its|your)\s)[\w."]+${tail}`,
    String.raw`insert\s+(or\s+\w+\s+)?into\s+[\w."]+\s*(\(|values\b|select\b)`,
    String.raw`update\s+[\w."]+\s+set\s+[\w."]+\s*=`,
    String.raw`delete\s+from\s+[\w."]+${tail}`,
    String.raw`(create|drop|alter)\s+(unique\s+|virtual\s+|temp\s+)?(table|index|view|trigger)\s`,
    String.raw`pragma\s+\w+\s*([=(;]|$)`,
    String.raw`with\s+(recursive\s+)?\w+\s+as\s*\(`,
  ].join("|")})`,
  "i",
);

/** SQL is written only next to the store that runs it. */
export const sqlStaysInTheLedger: Rule = (files) =>
  code(files)
    .filter((file) => /^packages\/[^/]+\/src\//.test(file.path) && !isTest(file))
    .filter((file) => !/\/src\/(ledger\/[^/]+|tools\/web\/local)\//.test(file.path))
    .flatMap((file) =>
      literals(file)
        .filter(({ text }) => sql.test(text))
        .map(({ line }) => toFinding("sql-stays-in-the-ledger", file, [line, "SQL away from the store that runs it"])),
    );

/** A query names its columns. */
export const queriesNameTheirColumns: Rule = (files) =>
  code(files).flatMap((file) =>
    literals(file)
      .filter(({ text }) => /\bselect\s+(distinct\s+)?(\w+\.)?\*/i.test(text))
      .map(({ line }) => toFinding("queries-name-their-columns", file, [line, "name the columns instead of *"])),
  );

/** A file is at most 400 lines long, tests included. */
export const filesAreShort: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const lines = file.text.replace(/\n$/, "").split("\n").length;
    return lines <= 400 ? [] : [toFinding("files-are-short", file, [401, `${lines} lines; split it, 400 are allowed`])];
  });

const kebabCase = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const emptyWords = /^(utils?|helpers?|managers?|common|misc|shared|stuff)$/;

/** A file is named in kebab-case after the one thing in it. */
export const namesSayWhatIsInside: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const parts = file.path.split("/");
    const odd = parts.find((part) => !kebabCase.test(part));
    if (odd !== undefined) return [toFinding("names-say-what-is-inside", file, [1, `"${odd}" is not kebab-case`])];
    const empty = parts.flatMap((part) => part.split(/[.-]/)).find((word) => emptyWords.test(word));
    return empty === undefined
      ? []
      : [toFinding("names-say-what-is-inside", file, [1, `"${empty}" says nothing about what is inside`])];
  });

/** Every exception to a rule says why it is one. */
export const exceptionsHaveReasons: Rule = (files) =>
  code(files).flatMap((file) =>
    parseFile(file).comments.flatMap((comment): Finding[] => {
      const line = lineAt(file.text, comment.start);
      if (/@ts-(ignore|nocheck)\b/.test(comment.value))
        return [toFinding("exceptions-have-reasons", file, [line, "use @ts-expect-error with a reason"])];
      const isException = /^\s*(oxlint|eslint)-disable|@ts-expect-error/.test(comment.value);
      const hasReason = /--\s*\S.{9,}/.test(comment.value) || /@ts-expect-error\s+\S.{9,}/.test(comment.value);
      return isException && !hasReason ? [toFinding("exceptions-have-reasons", file, [line, "say why, after --"])] : [];
    }),
  );

/** No `any`. */
export const noAny: Rule = (files) =>
  code(files).flatMap((file) =>
    nodesOf(file, (node) => node.type === "TSAnyKeyword").map((line) =>
      toFinding("no-any", file, [line, "`any` switches the types off; use `unknown` and parse"]),
    ),
  );

/** Nothing is left for later: no note to do it, no test that is switched off or alone. */
export const nothingIsLeftOver: Rule = (files) =>
  code(files).flatMap((file) => [...leftNotes(file), ...switchedOff(file)]);

function leftNotes(file: TidyFile): Finding[] {
  const notes = parseFile(file).comments.filter((comment) => /\b(TODO|FIXME|XXX|HACK)\b/.test(comment.value));
  const advice = "do it, or write it into decisions/";
  return notes.map(({ start }) => toFinding("nothing-is-left-over", file, [lineAt(file.text, start), advice]));
}

function switchedOff(file: TidyFile): Finding[] {
  const lines = nodesOf(file, isSwitchedOffTest);
  return lines.map((line) => toFinding("nothing-is-left-over", file, [line, "a test that is skipped or alone"]));
}

function isSwitchedOffTest(node: SyntaxNode): boolean {
  if (node.type !== "MemberExpression") return false;
  const { property } = node;
  let object = node["object"];
  while (isNode(object) && object.type === "MemberExpression") object = object["object"];
  if (!isNode(property) || !isNode(object)) return false;
  return (
    /^(test|it|describe|suite)$/.test(String(object["name"])) && /^(only|skip|todo)$/.test(String(property["name"]))
  );
}

const traces: readonly (readonly [RegExp, string])[] = [
  [/(?:^|["'`\s(=])\/(?:home|Users|root|work|workspace|builds)\/[\w.-]/, "a path of one machine"],
  [/\b[A-Z]:\\Users\\/, "a path of one machine"],
  [/https?:\/\/[\w.-]*\b(registry|artifactory|nexus|verdaccio|npmjs)\b[\w./-]*/i, "the address of a package registry"],
  [/"resolved":\s*"https?:/, "the address of a package registry"],
  [/^\s*(@[\w-]+:)?registry\s*=/, "the address of a package registry"],
  [/\b((co-authored|signed-off)-by|generated (with|by) an? )/i, "a note about who or what wrote it"],
  [
    /\b(as (discussed|requested) (with|by|in)|per (your|their) request|(my|your) colleagues?)\b/i,
    "a word of somebody's workplace",
  ],
  [/\b(ticket|jira|story) ?#?\d+\b/i, "a number only one workplace knows"],
];

/** Nothing tells on which machine, from which registry or in which office a file was written. */
export const noTracesOfAWorkplace: Rule = (files) =>
  files
    .filter((file) => !plantsFaults(file))
    .flatMap((file) =>
      file.text
        .split("\n")
        .flatMap((text, index) =>
          traces
            .filter(([pattern]) => pattern.test(text))
            .map(([, what]) => toFinding("no-traces-of-a-workplace", file, [index + 1, what])),
        ),
    );

function literals(file: TidyFile): { text: string; line: number }[] {
  return parseFile(file).nodes.flatMap(({ node }) => {
    const text = literalText(node);
    return text === undefined ? [] : [{ text, line: lineAt(file.text, node.start) }];
  });
}

function nodesOf(file: TidyFile, matches: (node: SyntaxNode) => boolean): number[] {
  return parseFile(file)
    .nodes.filter(({ node }) => matches(node))
    .map(({ node }) => lineAt(file.text, node.start));
}

function toFinding(rule: string, file: TidyFile, [line, message]: readonly [number, string]): Finding {
  return { rule, path: file.path, line, message };
}
