/** What agents can do in the world: tools made from providers. */
export { codeTool } from "./tools/code/code-tool.ts";
export type { CodeInput, CodeLanguage, CodeOutput, CodeProvider } from "./tools/code/code-provider.ts";
export { quickJsCode, type QuickJsOptions } from "./tools/code/quickjs-code.ts";
