/** What agents can do in the world: tools made from providers. */
export { codeTool } from "./tools/code/code-tool.ts";
export type { CodeInput, CodeLanguage, CodeOutput, CodeProvider } from "./tools/code/code-provider.ts";
export { quickJsCode, type QuickJsOptions } from "./tools/code/quickjs-code.ts";
export { folderStore, type FolderStoreOptions } from "./tools/storage/folder-store.ts";
export type { NewObject, ObjectInfo, ObjectStore, Provenance, StoredObject } from "./tools/storage/object-store.ts";
export type { S3Options } from "./tools/storage/s3-client.ts";
export { s3Store } from "./tools/storage/s3-store.ts";
export type { S3Credentials } from "./tools/storage/sign-request.ts";
export {
  storageTools,
  toStorageProvider,
  type StorageProvider,
  type StorageTools,
} from "./tools/storage/storage-tools.ts";
export type { PageAsset, PageInput, PageOutput } from "./tools/publish/page-input.ts";
export { openPreview, type Preview, type PreviewOptions } from "./tools/publish/preview.ts";
export { publishFolder, type PublishOptions } from "./tools/publish/publish-folder.ts";
export { bubblewrapCode, type BubblewrapOptions } from "./tools/code/bubblewrap-code.ts";
