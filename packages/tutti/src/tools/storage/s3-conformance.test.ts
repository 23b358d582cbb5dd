import { describeProviderFaults, type Exceptions } from "../../../../../test/tools/provider-conformance.ts";
import { sha256 } from "../../base/hash.ts";
import type { ServiceAt } from "../../testing/provider-fault.ts";
import { s3Store } from "./s3-store.ts";
import { toStorageProvider, type StorageProvider } from "./storage-tools.ts";

function open({ url, key, timeoutMs, bytesMax }: ServiceAt): StorageProvider {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: key, sessionToken: () => key };
  return toStorageProvider(
    s3Store({ endpoint: url, region: "r", bucket: "evidence", credentials, timeoutMs, bytesMax }),
  );
}

const content = "what was found";
const hash = sha256(content);
const missing: Exceptions = { "404": "it says that there is no such object, which is an answer" };
const noBody = "what S3 answers to it has no body, and nobody reads one";
const unread: Exceptions = {
  "an empty body": noBody,
  "204": noBody,
  "NUL bytes": noBody,
  "packed, it says, and is not": noBody,
};
const noCodes: Exceptions = {
  "429: the quota": "S3 says so with a code in XML, which s3-faults.test.ts tries",
  "400: it declines": "S3 stores whatever it is given",
};

describeProviderFaults(
  "s3, put",
  {
    open: (service) => open(service).put,
    input: { text: content, mediaType: "text/plain" },
    effect: "write",
    good: { headers: { "content-type": "application/xml" }, body: "" },
    answers: { kind: "any" },
    requests: 2, // where it came from, and then the content
  },
  { ...noCodes, ...unread },
);

describeProviderFaults(
  "s3, get",
  {
    open: (service) => open(service).get,
    input: { hash },
    effect: "read",
    good: { headers: { "content-type": "text/plain" }, body: content },
    answers: { kind: "any" },
  },
  { ...missing, ...noCodes },
);

describeProviderFaults(
  "s3, head",
  {
    open: (service) => open(service).head,
    input: { hash },
    effect: "read",
    good: { headers: { "content-type": "application/xml" }, body: "<ListBucketResult></ListBucketResult>" },
    answers: { kind: "any" },
    requests: 2, // the object, and the list of those who stored it
  },
  { ...missing, ...noCodes, "its answer has no end": "the answer to HEAD has no body" },
);
