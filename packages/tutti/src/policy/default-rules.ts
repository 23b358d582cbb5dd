import type { RuleSource } from "./cedar/compiled-rules.ts";

/** Made from the text in default-policy.ts by scripts/generate-default-rules.ts. */
export const defaultRules: readonly RuleSource[] = [
  {
    rule: { id: "looking", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "All" },
      action: {
        op: "in",
        entities: [
          { type: "Tutti::Action", id: "read-document" },
          { type: "Tutti::Action", id: "call-model" },
        ],
      },
      resource: { op: "All" },
      conditions: [],
      annotations: { id: "looking" },
    },
  },
  {
    rule: { id: "writing-inside", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "All" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "write-document" } },
      resource: { op: "All" },
      conditions: [],
      annotations: { id: "writing-inside" },
    },
  },
  {
    rule: { id: "tools-that-change-nothing-outside", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "All" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "call-tool" } },
      resource: { op: "All" },
      conditions: [
        {
          kind: "when",
          body: {
            "||": {
              left: {
                "==": { left: { ".": { left: { Var: "resource" }, attr: "effect" } }, right: { Value: "read" } },
              },
              right: {
                "==": { left: { ".": { left: { Var: "resource" }, attr: "effect" } }, right: { Value: "local" } },
              },
            },
          },
        },
      ],
      annotations: { id: "tools-that-change-nothing-outside" },
    },
  },
  {
    rule: { id: "trusted-with-what-can-be-undone", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "is", entity_type: "Tutti::Agent" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "call-tool" } },
      resource: { op: "All" },
      conditions: [
        {
          kind: "when",
          body: {
            "&&": {
              left: { ".": { left: { Var: "resource" }, attr: "reversible" } },
              right: { ">=": { left: { ".": { left: { Var: "principal" }, attr: "autonomy" } }, right: { Value: 4 } } },
            },
          },
        },
      ],
      annotations: { id: "trusted-with-what-can-be-undone" },
    },
  },
  {
    rule: { id: "trusted-with-everything", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "is", entity_type: "Tutti::Agent" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "call-tool" } },
      resource: { op: "All" },
      conditions: [
        {
          kind: "when",
          body: { ">=": { left: { ".": { left: { Var: "principal" }, attr: "autonomy" } }, right: { Value: 5 } } },
        },
      ],
      annotations: { id: "trusted-with-everything" },
    },
  },
  {
    rule: {
      id: "effects-ask",
      effect: "permit",
      says: "What changes something outside needs a person's approval, until the agent is trusted with it.",
      approvals: { count: 1, distinctFromInitiator: false },
    },
    json: {
      effect: "permit",
      principal: { op: "All" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "call-tool" } },
      resource: { op: "All" },
      conditions: [],
      annotations: {
        approvals: "1",
        id: "effects-ask",
        says: "What changes something outside needs a person's approval, until the agent is trusted with it.",
      },
    },
  },
  {
    rule: {
      id: "labels-ask",
      effect: "forbid",
      says: "What goes in may carry a label that the tool does not accept, so a person decides.",
      approvals: { count: 1, distinctFromInitiator: false },
    },
    json: {
      effect: "forbid",
      principal: { op: "All" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "call-tool" } },
      resource: { op: "All" },
      conditions: [
        {
          kind: "when",
          body: {
            "!": {
              arg: {
                containsAll: {
                  left: { ".": { left: { Var: "resource" }, attr: "accepts" } },
                  right: { ".": { left: { Var: "context" }, attr: "labels" } },
                },
              },
            },
          },
        },
        {
          kind: "unless",
          body: {
            "&&": {
              left: {
                "||": {
                  left: {
                    "==": { left: { ".": { left: { Var: "resource" }, attr: "effect" } }, right: { Value: "read" } },
                  },
                  right: {
                    "==": { left: { ".": { left: { Var: "resource" }, attr: "effect" } }, right: { Value: "local" } },
                  },
                },
              },
              right: {
                "!": {
                  arg: {
                    contains: {
                      left: { ".": { left: { Var: "resource" }, attr: "dataClasses" } },
                      right: { Value: "untrusted" },
                    },
                  },
                },
              },
            },
          },
        },
      ],
      annotations: {
        approvals: "1",
        id: "labels-ask",
        says: "What goes in may carry a label that the tool does not accept, so a person decides.",
      },
    },
  },
  {
    rule: {
      id: "sending-asks",
      effect: "permit",
      says: "What leaves this system needs a person's approval.",
      approvals: { count: 1, distinctFromInitiator: false },
    },
    json: {
      effect: "permit",
      principal: { op: "All" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "send" } },
      resource: { op: "All" },
      conditions: [],
      annotations: { approvals: "1", id: "sending-asks", says: "What leaves this system needs a person's approval." },
    },
  },
  {
    rule: { id: "people-approve", effect: "permit" },
    json: {
      effect: "permit",
      principal: { op: "is", entity_type: "Tutti::Person" },
      action: { op: "==", entity: { type: "Tutti::Action", id: "approve" } },
      resource: { op: "All" },
      conditions: [],
      annotations: { id: "people-approve" },
    },
  },
];
