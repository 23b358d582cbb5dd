/** Teams: several agents that work as one. */
export {
  packet,
  peerReply,
  peerTask,
  type Fact,
  type HandOff,
  type Packet,
  type PeerReply,
  type PeerTask,
  type Refusal,
} from "./teams/packet.ts";
export { peers, type Peer, type PeersDefinition } from "./teams/peers.ts";
export { agreeing, team, type Manner, type TeamDefinition } from "./teams/team.ts";
export { route, type RouteCandidate, type RouteOptions } from "./teams/route.ts";
export { openTrackRecord, type TrackRecord } from "./teams/track-record.ts";
export type { Standing } from "./teams/rank-candidates.ts";
export { openBoard, type Board, type BoardDefinition, type Lease } from "./teams/board.ts";
export type { Bidder } from "./teams/bidders.ts";
