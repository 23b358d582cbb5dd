/**
 * The first code that runs inside QuickJS, before any that is not ours. It is a guest itself: it is handed one function of the host (`print`),
 * keeps the intrinsics it needs before others can replace them, and answers with JSON text. Whatever a program does to it, the host
 * gets text of a bounded length, or nothing.
 */
export const preludeSource = `(print, job, limits) => {
  "use strict";
  const { stringify, parse } = JSON;
  const { code, input } = parse(job);
  const toText = String;
  const Failure = Error;
  const Clock = Date;
  const AsyncFunction = (async () => {}).constructor;
  const slice = Function.prototype.call.bind(String.prototype.slice);

  const noClock = () => {
    throw new Failure("there is no clock here: pass the time in \`input\`");
  };
  globalThis.Date = class Date extends Clock {
    constructor(...parts) {
      if (parts.length === 0) noClock();
      super(...parts);
    }
    static now() {
      noClock();
    }
  };
  Clock.prototype.constructor = globalThis.Date;

  const show = (value) => {
    if (typeof value === "string") return value;
    try {
      if (value instanceof Failure) return value.name + ": " + value.message;
      return stringify(value) ?? toText(value);
    } catch {
      return typeof value;
    }
  };
  let isOpen = true;
  const write = (...values) => {
    if (!isOpen) return;
    let line = "";
    for (let index = 0; index < values.length && line.length <= limits.line; index++)
      line += (index === 0 ? "" : " ") + slice(show(values[index]), 0, limits.line);
    isOpen = print(slice(line, 0, limits.line));
  };
  globalThis.console = { log: write, info: write, warn: write, error: write, debug: write };

  const describe = (thrown) => {
    const isObject = typeof thrown === "object" && thrown !== null;
    const read = (name) => {
      try {
        return isObject && thrown[name] !== undefined ? toText(thrown[name]) : "";
      } catch {
        return "";
      }
    };
    return stringify({
      kind: "failed",
      name: slice(read("name"), 0, 100) || "Error",
      message: slice(isObject ? read("message") : show(thrown), 0, limits.line),
      stack: slice(read("stack"), 0, limits.line),
    });
  };

  return (async () => {
    try {
      const value = await new AsyncFunction("input", code)(input);
      const result = stringify(value) ?? "null";
      if (result.length > limits.result) return '{"kind":"stopped","limit":"output"}';
      return '{"kind":"done","result":' + result + "}";
    } catch (thrown) {
      return describe(thrown);
    }
  })();
}`;
