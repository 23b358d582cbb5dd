import { agent, type Agent, type Tool } from "tutti";
import { packet, peerReply, peers, peerTask, team, type Packet, type PeerReply, type PeerTask } from "tutti/teams";

import { Answer } from "./shapes.ts";
import type { DeskTools } from "./tools.ts";

interface PeerWords {
  readonly name: string;
  readonly does: string;
  readonly instructions: string;
  readonly tools: readonly Tool[];
  /** It does not take a ticket whose order nobody knows. */
  readonly needsOrder?: boolean;
}

function toPeer({ needsOrder = false, ...words }: PeerWords): Agent<Packet, PeerReply<Answer>> {
  return agent({
    ...words,
    model: "fast",
    input: packet,
    output: peerReply(Answer),
    needs: needsOrder
      ? [
          {
            name: "the order is known",
            check: ({ known }) => known.some(({ topic }) => topic === "order") || "nobody says which order it is about",
          },
        ]
      : [],
  });
}

/** Four peers without a coordinator: who has the ticket answers it, or hands it on with what is known. */
export function toDesk({ findOrders, readOrder, searchManual }: DeskTools): Agent<PeerTask, Answer> {
  const reception = toPeer({
    name: "reception",
    does: "Reads tickets, says what they are about, and finds out whose order it is.",
    instructions: "Hand on what others can do. When somebody refuses, find out what is missing, or ask the customer.",
    tools: [findOrders],
  });
  const billing = toPeer({
    name: "billing",
    does: "Knows invoices, payments and refunds.",
    instructions: "Answer from the order. What an app shows is not yours.",
    tools: [readOrder],
    needsOrder: true,
  });
  const shipping = toPeer({
    name: "shipping",
    does: "Knows where parcels are.",
    instructions: "Answer from the order.",
    tools: [readOrder],
    needsOrder: true,
  });
  const technical = toPeer({
    name: "technical",
    does: "Knows machines and the app.",
    instructions: "Answer from the manuals. Payments are not yours.",
    tools: [searchManual],
  });
  return team({
    name: "desk",
    does: "Answers a customer's ticket.",
    input: peerTask,
    output: Answer,
    members: [reception, billing, shipping, technical],
    how: peers({
      members: [
        reception,
        { callable: billing, takes: ["order"] },
        { callable: shipping, takes: ["order"] },
        { callable: technical, takes: [] },
      ],
    }),
  });
}
