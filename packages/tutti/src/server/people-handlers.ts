import { TuttiError } from "../base/errors.ts";
import { approvalDetail, approvalLine, type ApprovalLine, type DecideRequest } from "../contracts/api/people.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import { toApprovalId, toRunId } from "../contracts/ids.ts";
import { personsVoteShape } from "../engine/control-commands.ts";
import { votesAtOnceMax, type PersonsVote } from "../engine/inbox.ts";
import type { Caller } from "./callers.ts";
import { isDecider, isOwn, listOwnDoubtful, type Call, type Desk, type Handlers } from "./desk.ts";

const pageDefault = 50;
const chunkApprovals = 200;
/** How many approvals one request looks at, however few of them are the caller's. */
const lookedAtMax = 10_000;

/** What people are asked, and what they say to it. */
export const peopleHandlers: Handlers<"listInbox" | "showApproval" | "decide" | "decideAll"> = {
  async listInbox(desk, call) {
    const { run, state = "open", cursor, needs } = call.query;
    const isFirst = cursor === undefined && state === "open" && (needs === undefined || isDecider(call.caller));
    const doubtful = isFirst ? await listOwnDoubtful(desk, call.caller) : [];
    return {
      ...(await toPage(desk, call)),
      inDoubt: doubtful.filter((effect) => run === undefined || effect.run === run),
    };
  },
  async showApproval(desk, call) {
    const { id } = await findOwnApproval(desk, call.caller, call.param("approval"));
    return approvalDetail.shape(await desk.tutti.approvals.show(id), "");
  },
  async decide(desk, call) {
    const { id } = await findOwnApproval(desk, call.caller, call.param("approval"));
    return toLine(await desk.tutti.approvals.decide(id, toVote(call.caller, call.body)));
  },
  async decideAll(desk, call) {
    const { decisions } = call.body;
    if (decisions.length === 0 || decisions.length > votesAtOnceMax)
      throw new TuttiError("INPUT_INVALID", `${decisions.length} decisions can't be taken at once`, {
        hint: `Send from 1 to ${votesAtOnceMax}.`,
      });
    const votes = new Map<string, PersonsVote>();
    for (const { id, ...said } of decisions) {
      await findOwnApproval(desk, call.caller, id);
      if (votes.has(id)) throw new TuttiError("INPUT_INVALID", `${id} is decided twice`, { facts: { approval: id } });
      votes.set(id, toVote(call.caller, said));
    }
    return { approvals: (await desk.tutti.approvals.decideAll(votes)).map(toLine) };
  },
};

async function toPage(
  { tutti, fleet }: Desk,
  { caller, query }: Call<"listInbox">,
): Promise<{ readonly approvals: readonly ApprovalLine[]; readonly cursor: string | undefined }> {
  const { run, state = "open", limit = pageDefault } = query;
  const { runs } = await fleet.catchUp();
  const filter = { states: [state], ...(run === undefined ? {} : { run: toRunId(run) }) };
  const approvals: ApprovalLine[] = [];
  let place = readCursor(query.cursor);
  for (let looked = 0; looked < lookedAtMax; looked += chunkApprovals) {
    const chunk = await tutti.approvals.list({ ...filter, askedAfter: place, limit: chunkApprovals });
    for (const approval of chunk) {
      if (approvals.length >= limit) return { approvals, cursor: String(place) };
      place = approval.askedLsn;
      if (!isOwn(caller, runs.get(approval.run)?.tenant)) continue;
      if (query.needs === undefined || (isDecider(caller) && tutti.approvals.mayDecide(approval, caller.name)))
        approvals.push(toLine(approval));
    }
    if (chunk.length < chunkApprovals) return { approvals, cursor: undefined };
  }
  return { approvals, cursor: String(place) };
}

/** Without what only the engine needs. */
function toLine(approval: ApprovalRecord): ApprovalLine {
  return approvalLine.shape(approval, "");
}

function readCursor(cursor = "0"): number {
  if (/^\d{1,15}$/u.test(cursor)) return Number(cursor);
  throw new TuttiError("INPUT_INVALID", "the cursor is none that a page gave", {
    hint: "Take it from the page before, or leave it out.",
  });
}

/** What belongs to another tenant is as unknown as what is not there. @throws TuttiError APPROVAL_UNKNOWN */
async function findOwnApproval({ tutti, fleet }: Desk, caller: Caller, id: string): Promise<ApprovalRecord> {
  const approval = await tutti.ledger.findApproval(toApprovalId(id));
  const found = approval === undefined ? undefined : await fleet.findRun(approval.run);
  if (approval !== undefined && found !== undefined && isOwn(caller, found.notes.tenant)) return approval;
  throw new TuttiError("APPROVAL_UNKNOWN", `no approval ${id} in this ledger`, {
    hint: "`GET /api/inbox` lists what waits for people.",
    facts: { approval: id },
  });
}

const hashPattern = /^[0-9a-f]{64}$/u;
/** What each word takes besides; anything else with it is a mistake, and not a yes to something that was not meant. */
const takes = { approve: [], abstain: [], reject: ["reason"], edit: ["input"], answer: ["answer"], delegate: ["to"] };

/** The person is the token's name, whatever the body says. @throws TuttiError INPUT_INVALID; ShapeError */
function toVote({ name }: Caller, body: DecideRequest): PersonsVote {
  const allowed = new Set(["saw", "verdict", "note", ...takes[body.verdict]]);
  const beyond = Object.keys(body).find((field) => !allowed.has(field));
  if (beyond !== undefined)
    throw new TuttiError("INPUT_INVALID", `${body.verdict} takes no ${beyond}`, { hint: "Leave it out." });
  if (!hashPattern.test(body.saw))
    throw new TuttiError("INPUT_INVALID", "saw is no hash of a package", {
      hint: "Send the whole `package` of the approval that was shown.",
    });
  return personsVoteShape({ ...body, by: name }, "");
}
