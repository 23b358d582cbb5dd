/** What agents can do beside reading and writing, each as a tool made of providers: run code, keep files, publish pages, make pictures and films. */
export { builtInTools, type BuiltInOptions } from "./tools/built-in-tools.ts";
export { codeTool } from "./tools/code/code-tool.ts";
export type { CodeInput, CodeLanguage, CodeOutput, CodeProvider } from "./tools/code/code-provider.ts";
export { quickJsCode, type QuickJsOptions } from "./tools/code/quickjs-code.ts";
export { folderStore, type FolderStoreOptions } from "./tools/storage/folder-store.ts";
export type { NewObject, ObjectInfo, ObjectStore, Provenance, StoredObject } from "./tools/storage/object-store.ts";
export type { S3Keys, S3Options } from "./tools/storage/s3-client.ts";
export { s3Store } from "./tools/storage/s3-store.ts";
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
export type {
  ImageModel,
  ImageReply,
  ImageRequest,
  MediaContent,
  VideoJob,
  VideoModel,
  VideoRequest,
  VideoStartHost,
  VideoStatus,
} from "./contracts/media-model.ts";
export { fromAiSdkImage, type AiSdkMediaSettings } from "./models/ai-sdk/ai-sdk-image.ts";
export { fromAiSdkVideo } from "./models/ai-sdk/ai-sdk-video.ts";
export type {
  AxisTitles,
  Chart,
  HistogramChart,
  LabelChart,
  Look,
  PieChart,
  Point,
  ScatterChart,
} from "./tools/image/chart.ts";
export type { Diagram } from "./tools/image/diagram.ts";
export { drawChart } from "./tools/image/draw-chart.ts";
export { drawDiagram } from "./tools/image/draw-diagram.ts";
export {
  chartTool,
  diagramTool,
  type DrawChartInput,
  type DrawDiagramInput,
  type DrawingSettings,
  type PictureFormat,
} from "./tools/image/drawing-tools.ts";
export {
  imageContract,
  imageProvider,
  imageTool,
  type GeneratedImage,
  type ImageProviderSettings,
} from "./tools/image/image-tool.ts";
export { toPng, type PngOptions } from "./tools/image/png.ts";
export type { Theme } from "./tools/image/svg.ts";
export { folderKeeper, ledgerKeeper, type Media, type MediaKeeper, type MediaPlace } from "./tools/media.ts";
export type { Animation } from "./tools/video/animate-chart.ts";
export { animateAsApng, animateAsSvg, animationTool, type AnimateInput } from "./tools/video/animation-tool.ts";
export { generateVideo, type VideoPatience } from "./tools/video/generate-video.ts";
export { videoTools, type VideoSettings, type VideoTools } from "./tools/video/video-tools.ts";
