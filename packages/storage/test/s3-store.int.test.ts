import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { testServices, type TestS3 } from "@nightshift/testing";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JoinSource, ObjectStore } from "../src/object-store.ts";
import { openS3Store } from "../src/s3-store.ts";
import { isObjectStoreUnavailable } from "../src/unavailable.ts";
import { objectStoreContract } from "./object-store-contract.ts";
import { chunks, failing, HangingSource } from "./sources.ts";

const MIB = 1024 * 1024;

const { s3 } = testServices();
if (s3 === null) {
  test("skipped: no S3 server found (no minio program, no TEST_S3_ENDPOINT)", () => {
    expect(s3).toBeNull();
  });
} else {
  describe("the S3 store", () => {
    bucketTests(s3);
  });
}

function bucketTests(server: TestS3): void {
  const bucket = `store-${randomUUID()}`;
  let store: ObjectStore;
  let client: S3Client;

  beforeAll(async () => {
    store = openS3Store({ ...server, bucket });
    client = new S3Client({ ...server, credentials: server, forcePathStyle: true });
    await store.ready();
  });

  afterAll(async () => {
    await store.close();
    client.destroy();
  });

  objectStoreContract(() => store);

  async function openUploads(key: string): Promise<number> {
    const reply = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }));
    return reply.Uploads?.length ?? 0;
  }

  test("a stream within one part is one PUT, and a longer stream is a multipart upload", async () => {
    const short = await store.putStream("short", chunks(5, MIB));
    const long = await store.putStream("long", chunks(6, MIB));

    // The ETag of an object made of parts ends with their number.
    expect(short.etag).toMatch(/^[0-9a-f]{32}$/);
    expect(long.etag).toMatch(/^[0-9a-f]{32}-2$/);
  });

  test("a stream that fails or is aborted after several parts leaves no part", async () => {
    const source = new HangingSource(chunks(15, MIB));
    const abort = new AbortController();
    const aborted = store.putStream("aborted", source, abort.signal);
    await source.hanging;
    expect(await openUploads("aborted")).toBe(1);
    abort.abort(new Error("aborted"));

    await expect(aborted).rejects.toThrow("aborted");
    await expect(store.putStream("failed", failing(chunks(15, MIB), new Error("failed")))).rejects.toThrow("failed");

    expect(await openUploads("aborted")).toBe(0);
    expect(await openUploads("failed")).toBe(0);
  });

  test("a join within one part is one PUT, a longer one is a multipart upload whose large pieces the server copies", async () => {
    await store.put("join/small", Buffer.alloc(MIB));
    await store.put("join/large", Buffer.alloc(20 * MIB));
    const small = { key: "join/small", offset: 0, length: MIB };
    const large = { key: "join/large", offset: 0, length: 12 * MIB };
    const tags = async (sources: JoinSource[]): Promise<string> => (await store.join("join/out", sources)).etag;

    expect(await tags([small, small, small, small, small])).toMatch(/^[0-9a-f]{32}$/);
    expect(await tags([small, small, small, small, small, Buffer.from("x")])).toMatch(/-2$/);
    expect(await tags([large])).toMatch(/-1$/);
    expect(await tags([large, small])).toMatch(/-2$/);
    // The first part contains the first 4 MiB of the large piece.
    expect(await tags([small, large])).toMatch(/-2$/);
    // This process reads all bytes, because the remaining 5 MiB are too few for a copy on the server.
    expect(await tags([small, { ...large, length: 9 * MIB }])).toMatch(/-2$/);
  });

  test("a join that fails or is aborted after several parts leaves no part", async () => {
    await store.put("join/source", Buffer.alloc(12 * MIB));
    const pieces = [
      { key: "join/source", offset: 0, length: 12 * MIB },
      { key: "join/source", offset: 0, length: 6 * MIB },
    ];
    async function* sources(): AsyncGenerator<JoinSource, void, undefined> {
      yield* pieces;
      yield* chunks(15, MIB);
    }
    const hanging = new HangingSource(sources());
    const abort = new AbortController();
    const aborted = store.join("join/aborted", hanging, abort.signal);
    await hanging.hanging;
    expect(await openUploads("join/aborted")).toBe(1);
    abort.abort(new Error("aborted"));

    await expect(aborted).rejects.toThrow("aborted");
    await expect(store.join("join/failed", failing(sources(), new Error("failed")))).rejects.toThrow("failed");
    await expect(store.join("join/missing", [...pieces, { ...pieces[0]!, key: "none" }])).rejects.toThrow("none");
    await expect(store.join("join/beyond", [...pieces, { ...pieces[0]!, offset: 1 }])).rejects.toThrow(RangeError);

    expect(await openUploads("join/")).toBe(0);
  });

  // MinIO lists unfinished uploads only by their complete key, and aborts them itself after a day. AWS lists by any
  // prefix.
  test("discardUnfinished removes old parts of a dead writer below the prefix", async () => {
    for (const Key of ["files/left", "others/left"]) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    }

    await store.discardUnfinished("files/left", new Date(Date.now() - 3_600_000));
    expect(await openUploads("files/left")).toBe(1);

    await store.discardUnfinished("files/left", new Date(Date.now() + 3_600_000));
    expect([await openUploads("files/left"), await openUploads("others/left")]).toEqual([0, 1]);
  });

  test("a join rejects with the first error, even if its parts cannot be removed", async () => {
    const requests: string[] = [];
    const refusing = createServer((request, response) => {
      const isBegin = request.method === "POST";
      requests.push(request.method ?? "");
      request.resume().once("end", () => {
        response.writeHead(isBegin ? 200 : 403, { "content-type": "application/xml" });
        if (isBegin)
          response.end("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>");
        else response.end(`<Error><Code>Refused${request.method ?? ""}</Code></Error>`);
      });
    });
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const { port } = refusing.address() as AddressInfo;
    const refused = openS3Store({ ...server, bucket, endpoint: `http://127.0.0.1:${String(port)}` });

    const error: unknown = await refused.join("a", chunks(15, MIB)).catch((reason: unknown) => reason);
    refusing.close();
    await refused.close();

    expect(error).toMatchObject({ name: "RefusedPUT" });
    expect(requests.at(-1)).toBe("DELETE");
  });

  test("racing processes create a missing bucket once, and all become ready", async () => {
    const options = { ...server, bucket: `raced-${randomUUID()}` };
    const stores = Array.from({ length: 8 }, () => openS3Store(options));

    await Promise.all(stores.map((each) => each.ready()));

    await stores[0]?.put("it/works", Buffer.from("x"));
    expect((await stores[7]?.read("it/works"))?.toString()).toBe("x");
    await Promise.all(stores.map((each) => each.close()));
  });

  test("a store without its bucket rejects instead of looking empty", async () => {
    const lost = openS3Store({ ...server, bucket: `missing-${randomUUID()}` });

    await expect(lost.read("a")).rejects.toMatchObject({ name: "NoSuchBucket" });
    await lost.close();
  });

  test("ready rejects for wrong keys, which do not count as unavailable", async () => {
    const denied = openS3Store({ ...server, bucket, secretAccessKey: "not-the-secret" });

    const error: unknown = await denied.ready().catch((reason: unknown) => reason);

    expect(error).toMatchObject({ message: expect.stringContaining("access is denied") });
    expect(isObjectStoreUnavailable(error)).toBe(false);
    await denied.close();
  });

  test("reports an overloaded server after some attempts, and an unreachable one with its reason", async () => {
    let requests = 0;
    const overloaded = createServer((_request, response) => {
      requests += 1;
      response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => overloaded.listen(0, "127.0.0.1", resolve));
    const { port } = overloaded.address() as AddressInfo;
    const unavailable = openS3Store({ ...server, bucket, endpoint: `http://127.0.0.1:${String(port)}` });

    const busy: unknown = await unavailable.put("a", Buffer.from("x")).catch((reason: unknown) => reason);
    overloaded.close();
    overloaded.closeAllConnections();
    const refused: unknown = await unavailable.ready().catch((reason: unknown) => reason);

    expect(requests).toBeGreaterThan(1);
    expect(isObjectStoreUnavailable(busy)).toBe(true);
    expect(refused).toMatchObject({ message: expect.stringContaining("ECONNREFUSED") });
    await unavailable.close();
  });
}
