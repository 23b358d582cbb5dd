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
