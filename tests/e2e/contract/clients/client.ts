/**
 * The interface that the contract's rows use to call the API, with one implementation for plain HTTP and one for each
 * official SDK.
 */

export type Json = Readonly<Record<string, unknown>>;

/** One reply as it came over the wire; a call has several where the client repeated it. */
export interface Reply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the caller is told of a refusal: the fields of the SDK's exception, or of the envelope of contract §5.1. */
export interface Refusal {
  /** The exception's class. Plain HTTP has none: it names the one that both SDKs have for the status (contract §5.3). */
  readonly exception: string;
  readonly status: number;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  readonly message: string;
}

/** What came of a call. Exactly one of `json`, `bytes` and `refusal` is not null. */
export interface Answer {
  /** What the client handed out, with all keys and nulls that it has. Python puts the keys into an order of its own. */
  readonly json: Json | null;
  readonly bytes: Buffer | null;
  readonly refusal: Refusal | null;
  /** The request id as the client hands it out. */
  readonly requestId: string | null;
  /** All replies to the call, in order. */
  readonly replies: readonly Reply[];
  /** Seconds that the client meant to wait between them; it was not made to. */
  readonly waits: readonly number[];
}

/** A file for a form; without a name the client names it as it always does. */
export interface FileToSend {
  readonly bytes: Buffer;
  readonly name?: string;
}

/** Fields of a form or a body by their names on the wire. What is undefined is not sent. */
export type Fields = Readonly<Record<string, unknown>>;

/** The query of a list. */
export type Query = Readonly<Record<string, string | number>>;

/** The calls of the contract. They resolve with refusals, and reject only where no reply came or the client broke. */
export interface Client {
  readonly files: {
    create(file: FileToSend | undefined, fields: Fields): Promise<Answer>;
    list(query?: Query): Promise<Answer>;
    retrieve(id: string): Promise<Answer>;
    delete(id: string): Promise<Answer>;
    content(id: string): Promise<Answer>;
  };
  readonly uploads: {
    create(fields: Fields): Promise<Answer>;
    addPart(id: string, data: Buffer): Promise<Answer>;
    complete(id: string, fields: Fields): Promise<Answer>;
    cancel(id: string): Promise<Answer>;
  };
  readonly batches: {
    create(fields: Fields): Promise<Answer>;
    list(query?: Query): Promise<Answer>;
    retrieve(id: string): Promise<Answer>;
    cancel(id: string): Promise<Answer>;
  };
  /** Verifies a webhook and reads it; rejects where it is not to be trusted. */
  unwrap(body: string, headers: Readonly<Record<string, string>>, secret: string): Promise<Json>;
  /** The name that it gives a file without one. */
  readonly nameOfBareBytes: string;
  /** How often it repeats what it takes to be worth it, unless told. */
  readonly retries: number;
  /** The same client with another API key. */
  withKey(key: string): Client;
}

/** Where a client finds the service: the addresses of all APIs, to be asked in turn, so that no call can rely on having seen the one before. */
export interface Target {
  readonly urls: readonly string[];
  readonly key: string;
}

/** Returns the elements in turn, for ever. */
export function inTurn<T>(all: readonly T[]): () => T {
  let next = 0;
  return () => {
    const one = all[next++ % all.length];
    if (one === undefined) throw new Error("There is nothing to take in turn.");
    return one;
  };
}
