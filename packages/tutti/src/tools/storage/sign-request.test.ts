import { AwsV4Signer } from "aws4fetch";
import fc from "fast-check";
import { expect, test } from "vitest";

import { sha256 } from "../../base/hash.ts";
import { signRequest, type UnsignedRequest } from "./sign-request.ts";

// Published by AWS: the examples in the documentation of S3's signatures, and the test suite of Signature Version 4.
// Those of requests without a body were also computed with botocore, which gave the same.
const documentation = {
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  region: "us-east-1",
  service: "s3",
  atMs: Date.UTC(2013, 4, 24),
};
const suite = {
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  region: "us-east-1",
  service: "service",
  atMs: Date.UTC(2015, 7, 30, 12, 36),
};
const empty = sha256("");
const bucket = "https://examplebucket.s3.amazonaws.com";

function toRequest(method: string, address: string, changes: Partial<UnsignedRequest> = {}): UnsignedRequest {
  return { method, url: new URL(address), headers: {}, bodyHash: empty, ...changes };
}

test.for([
  [
    "a GET with a range",
    toRequest("GET", `${bucket}/test.txt`, { headers: { range: "bytes=0-9", "x-amz-content-sha256": empty } }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "a PUT",
    toRequest("PUT", `${bucket}/test%24file.text`, {
      headers: {
        date: "Fri, 24 May 2013 00:00:00 GMT",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": sha256("Welcome to Amazon S3."),
      },
      bodyHash: sha256("Welcome to Amazon S3."),
    }),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "a name without a value in the query",
    toRequest("GET", `${bucket}/?lifecycle`, { headers: { "x-amz-content-sha256": empty } }),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "a list",
    toRequest("GET", `${bucket}/?max-keys=2&prefix=J`, { headers: { "x-amz-content-sha256": empty } }),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
] as const)("%s is signed as in the documentation of S3", ([, request, signature]) => {
  expect(signRequest(request, documentation)["authorization"]).toContain(`Signature=${signature}`);
});

test.for([
  [
    "get-vanilla",
    toRequest("GET", "https://example.amazonaws.com/"),
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  ],
  [
    "post-vanilla",
    toRequest("POST", "https://example.amazonaws.com/"),
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "get-vanilla-query-order-key-case",
    toRequest("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1"),
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
] as const)("%s of the test suite is signed as published", ([, request, signature]) => {
  expect(signRequest(request, suite)["authorization"]).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test("a session's token is sent and signed, and the secret key is in no header", () => {
  const credentials = { ...suite.credentials, sessionToken: "token" };
  const headers = signRequest(toRequest("GET", "https://example.amazonaws.com/"), { ...suite, credentials });
  expect(headers["x-amz-security-token"]).toBe("token");
  expect(headers["authorization"]).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token,");
  expect(JSON.stringify(headers)).not.toContain(suite.credentials.secretAccessKey);
});

const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/);
const anyRequest = fc.record({
  method: fc.constantFrom("GET", "PUT", "HEAD"),
  path: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
  query: fc.dictionary(segment, fc.string({ unit: "grapheme", maxLength: 12 }), { maxKeys: 3 }),
  headers: fc.dictionary(
    fc.stringMatching(/^x-amz-meta-[a-z]{1,8}$/),
    fc.stringMatching(/^[!-~]{1,8}(?: {1,3}[!-~]{1,8}){0,2}$/),
    { maxKeys: 3 },
  ),
  body: fc.string({ maxLength: 50 }),
});

test("any request is signed as another implementation signs it", async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ method, path, query, headers, body }) => {
      const url = new URL(`https://bucket.example.org${path}`);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const bodyHash = sha256(body);
      const unsigned = { method, url, headers: { ...headers, "x-amz-content-sha256": bodyHash }, bodyHash };
      const other = await new AwsV4Signer({
        method,
        url: url.href,
        headers: unsigned.headers,
        body,
        ...suite.credentials,
        service: "s3",
        region: "us-east-1",
        datetime: "20150830T123600Z",
      }).sign();
      const ours = signRequest(unsigned, { ...suite, service: "s3" });
      expect(ours["authorization"]).toBe(other.headers.get("authorization"));
    }),
    { numRuns: 300 },
  );
});
