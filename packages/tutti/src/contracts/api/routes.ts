import * as agents from "./agents.ts";
import * as commands from "./commands.ts";
import * as comparison from "./comparison.ts";
import { fields, integer, type Described } from "./described.ts";
import * as ledger from "./ledger.ts";
import * as people from "./people.ts";
import { look, lookWhole, open, steer, steerWhole, type RouteSpec } from "./route-spec.ts";
import * as runs from "./runs.ts";

/** Every route. The server serves these and no others, the client calls them, and the OpenAPI document is made of them. */
export const routes = {
  // runs
  listRuns: {
    ...look,
    path: "/api/runs",
    does: "Runs, the newest first.",
    query: runs.runFilter,
    answer: runs.runPage,
  },
  showRun: { ...look, path: "/api/runs/:run", does: "A run with its input and output.", answer: runs.runDetail },
  showScore: {
    ...look,
    path: "/api/runs/:run/score",
    does: "A run's phases, without their steps.",
    query: runs.atSeq,
    answer: runs.score,
  },
  showPhase: {
    ...look,
    path: "/api/runs/:run/phases/:phase",
    does: "The steps and edges of one phase.",
    query: runs.atSeq,
    answer: runs.phase,
  },
  showChanges: {
    ...look,
    path: "/api/runs/:run/changes",
    does: "What is new on the score since an entry.",
    query: fields({ since: integer }),
    answer: runs.scoreChanges,
  },
  compareRuns: {
    ...look,
    path: "/api/runs/:run/comparison",
    does: "What a run and another of its flow have in common, and where they went different ways.",
    query: comparison.comparisonQuery,
    answer: comparison.comparison,
  },
  why: {
    ...look,
    path: "/api/runs/:run/why",
    does: "What led to a run's result, or to one of its steps.",
    query: runs.whyQuery,
    answer: runs.whySlice,
  },
  listDecisions: {
    ...look,
    path: "/api/runs/:run/decisions",
    does: "What was decided, and why.",
    query: runs.atSeq,
    answer: runs.decisionGraph,
  },
  listMessages: {
    ...look,
    path: "/api/runs/:run/messages",
    does: "Who told whom what.",
    query: runs.atSeq,
    answer: runs.messagePage,
  },
  listDocumentUses: {
    ...look,
    path: "/api/runs/:run/documents",
    does: "Which versions of documents a run read and wrote.",
    query: runs.atSeq,
    answer: ledger.documentUses,
  },
  listRunEntries: {
    ...look,
    path: "/api/runs/:run/entries",
    does: "A run's entries; `after` is a position in the run.",
    query: ledger.entryFilter,
    answer: ledger.entryPage,
  },
  readBlob: {
    ...look,
    path: "/api/runs/:run/blobs/:hash",
    does: "A large value of a run, the first 64 kB of it or the range that is asked for.",
    answer: "bytes",
  },
  verifyRun: {
    ...look,
    path: "/api/runs/:run/verification",
    does: "Checks a run's chain.",
    answer: ledger.verification,
  },
  listPlans: {
    ...look,
    path: "/api/runs/:run/plans",
    does: "A run's plans with their tasks.",
    answer: commands.planPage,
  },
  drawRun: {
    ...look,
    path: "/api/runs/:run/drawing",
    does: "A picture of what a run did.",
    query: commands.drawingQuery,
    answer: "text",
  },

  // commands
  startRun: {
    ...steer,
    path: "/api/runs",
    does: "Starts a run.",
    body: commands.startRequest,
    answer: commands.runNamed,
  },
  signalRun: {
    ...steer,
    path: "/api/runs/:run/signal",
    does: "Sends a signal.",
    body: commands.signalRequest,
    answer: commands.nothing,
  },
  cancelRun: {
    ...steer,
    path: "/api/runs/:run/cancel",
    does: "Cancels a run and what it started.",
    body: commands.cancelRequest,
    answer: commands.nothing,
  },
  pauseRun: {
    ...steer,
    path: "/api/runs/:run/pause",
    does: "Stops a run at a safe point.",
    body: commands.nothing,
    answer: commands.nothing,
  },
  resumeRun: {
    ...steer,
    path: "/api/runs/:run/resume",
    does: "Goes on with a run that was paused or parked.",
    body: commands.nothing,
    answer: commands.nothing,
  },
  forkRun: {
    ...steer,
    path: "/api/runs/:run/fork",
    does: "Starts a run that shares this one's past before a step.",
    body: commands.forkRequest,
    answer: commands.runNamed,
  },
  editPlan: {
    ...steer,
    path: "/api/runs/:run/plan",
    does: "Sends a running plan another version of itself.",
    body: commands.planEditRequest,
    answer: commands.nothing,
  },
  listDoubtful: {
    ...look,
    path: "/api/effects/in-doubt",
    does: "Effects whose outcome nobody knows.",
    answer: commands.doubtfulEffects,
  },
  settleEffect: {
    ...steer,
    role: "approver",
    path: "/api/effects/settle",
    does: "Says whether an effect that is in doubt happened.",
    body: commands.settleRequest,
    answer: commands.nothing,
  },
  callTool: {
    ...steer,
    path: "/api/tools/:tool/call",
    does: "Calls a tool as a run of its own.",
    body: commands.toolCallRequest,
    answer: commands.runNamed,
  },

  // people
  listInbox: {
    ...look,
    path: "/api/inbox",
    does: "What people are asked, the oldest first.",
    query: people.inboxFilter,
    answer: people.inbox,
  },
  showApproval: {
    ...look,
    path: "/api/approvals/:approval",
    does: "An approval with all that whoever decides has to see.",
    answer: people.approvalDetail,
  },
  decide: {
    ...steer,
    role: "approver",
    path: "/api/approvals/:approval",
    does: "What a person says to what was shown.",
    body: people.decideRequest,
    answer: people.approvalLine,
  },
  decideAll: {
    ...steer,
    role: "approver",
    path: "/api/approvals",
    does: "Decides several, all of them or none.",
    body: people.batchRequest,
    answer: people.approvalList,
  },
  listDirectives: {
    ...look,
    path: "/api/runs/:run/directives",
    does: "What people told a run.",
    answer: people.directiveList,
  },
  giveDirective: {
    ...steer,
    path: "/api/runs/:run/directives",
    does: "Tells a run, and all that it started, something.",
    body: people.directiveRequest,
    answer: people.directed,
  },
  showUndo: {
    ...look,
    path: "/api/runs/:run/undo",
    does: "What undoing a run would take back, and what stays.",
    answer: people.undoPreview,
  },
  undoRun: {
    ...steer,
    path: "/api/runs/:run/undo",
    does: "Takes back what a run did that failed or was stopped.",
    body: people.undoRequest,
    answer: commands.nothing,
  },
  listFreezes: { ...look, path: "/api/freezes", does: "What stands still.", answer: people.freezeList },
  freeze: {
    ...steer,
    path: "/api/freezes",
    does: "Lets nothing be begun any more.",
    body: people.freezeRequest,
    answer: commands.nothing,
  },
  liftFreeze: {
    ...steer,
    path: "/api/freezes/lift",
    does: "Ends a freeze: what rested goes on.",
    body: people.freezeRequest,
    answer: commands.nothing,
  },

  // what there is
  listFlows: { ...look, path: "/api/flows", does: "Flows that can be started.", answer: commands.flowPage },
  listTools: { ...look, path: "/api/tools", does: "Tools that can be called.", answer: commands.toolPage },
  showTool: { ...look, path: "/api/tools/:tool", does: "A tool's contract.", answer: commands.toolDetail },

  // over all runs
  listCallables: {
    ...look,
    path: "/api/callables",
    does: "Cost, latency and success of agents, tools, models and flows.",
    query: runs.callableFilter,
    answer: runs.callablePage,
  },
  showCallable: {
    ...look,
    path: "/api/callables/history",
    does: "Figures of one agent, tool, model or flow over time, version by version.",
    query: agents.historyQuery,
    answer: agents.callableHistory,
  },
  listHandOffs: {
    ...look,
    path: "/api/hand-offs",
    does: "Who gave work or messages to whom, and what became of it.",
    answer: agents.handOffPage,
  },
  listDocuments: {
    ...look,
    path: "/api/documents",
    does: "Shared documents, each in its newest version.",
    query: ledger.documentFilter,
    answer: ledger.documentPage,
  },
  showDocument: {
    ...look,
    path: "/api/documents/history",
    does: "Versions of one document, the newest first, with what each changed.",
    query: ledger.documentQuery,
    answer: ledger.documentHistory,
  },
  listEntries: {
    ...look,
    path: "/api/entries",
    does: "Entries of all runs, in their order.",
    query: ledger.entryFilter,
    answer: ledger.entryPage,
  },
  stream: {
    ...look,
    path: "/api/stream",
    does: "Entries as they come, and what goes on between them, as server-sent events.",
    query: ledger.streamQuery,
    answer: "events",
  },
  verifyLedger: {
    ...lookWhole,
    role: "admin",
    path: "/api/verification",
    does: "Checks every chain and every large value of the ledger.",
    answer: ledger.verification,
  },
  listLimits: {
    ...look,
    path: "/api/limits",
    does: "What accounts may spend and have spent.",
    query: commands.limitFilter,
    answer: commands.limitPage,
  },

  // events and schedules
  listTopics: { ...lookWhole, path: "/api/topics", does: "Topics.", answer: commands.topicPage },
  listEvents: {
    ...lookWhole,
    path: "/api/topics/:topic/events",
    does: "Events of a topic.",
    query: commands.eventFilter,
    answer: commands.eventPage,
  },
  listSubscriptions: {
    ...lookWhole,
    path: "/api/subscriptions",
    does: "Subscriptions, and what is parked.",
    answer: commands.subscriptionPage,
  },
  releaseEvent: {
    ...steerWhole,
    path: "/api/subscriptions/:subscription/parked",
    does: "Acts on a parked event again, or says that it needs no run.",
    body: commands.parkedEventRequest,
    answer: commands.nothing,
  },
  listSchedules: {
    ...lookWhole,
    path: "/api/schedules",
    does: "What the clock starts.",
    answer: commands.schedulePage,
  },
  pauseSchedule: {
    ...steerWhole,
    path: "/api/schedules/:schedule/pause",
    does: "Starts nothing until it is resumed.",
    body: commands.nothing,
    answer: commands.nothing,
  },
  resumeSchedule: {
    ...steerWhole,
    path: "/api/schedules/:schedule/resume",
    does: "Goes on with a schedule, from now.",
    body: commands.nothing,
    answer: commands.nothing,
  },

  // who is there
  showSession: { ...look, path: "/api/session", does: "Who the caller is.", answer: commands.session },
  openSession: {
    ...open,
    method: "POST",
    path: "/api/session",
    does: "Turns a token into a cookie, for the console.",
    body: commands.sessionRequest,
    answer: commands.session,
  },
  closeSession: {
    ...open,
    method: "DELETE",
    path: "/api/session",
    does: "Takes the cookie back.",
    answer: commands.nothing,
  },
  describe: { ...look, path: "/api/openapi.json", does: "This interface as OpenAPI 3.1.", answer: fields({}) },
  metrics: {
    ...lookWhole,
    path: "/metrics",
    does: "What is counted, in the text format of Prometheus.",
    answer: "text",
  },
  health: { ...open, method: "GET", path: "/health", does: "Whether the process is up.", answer: commands.health },
  ready: { ...open, method: "GET", path: "/ready", does: "Whether it takes work.", answer: commands.readiness },
} as const satisfies Record<string, RouteSpec>;

export type Operation = keyof typeof routes;
type Part<Name extends Operation, Field extends string> =
  (typeof routes)[Name] extends Readonly<Record<Field, Described<infer Value>>> ? Value : undefined;
/** What an operation takes in its query and its body, and what it answers; `undefined` where that is nothing, or no JSON. */
export type QueryOf<Name extends Operation> = Part<Name, "query">;
export type BodyOfRoute<Name extends Operation> = Part<Name, "body">;
export type AnswerOf<Name extends Operation> = Part<Name, "answer">;
