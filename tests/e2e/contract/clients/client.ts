/**
 * The interface that the contract's rows use to call the API, with one implementation for plain HTTP and one for each
 * official SDK.
 */

export type Json = Readonly<Record<string, unknown>>;

/** One reply as it came over the wire. A call has several replies if the client retried the call. */
export interface Reply {
  readonly status: number;
  /** The headers by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The error that the caller receives: the fields of the SDK's exception, or of the envelope of contract §5.1. */
export interface Refusal {
  /**
   * The exception's class. Plain HTTP does not have exceptions, so it uses the class that both SDKs raise for the
   * status (contract §5.3).
   */
  readonly exception: string;
  readonly status: number;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  readonly message: string;
}

/** The result of a call. Exactly one of `json`, `bytes` and `refusal` is not null. */
export interface Answer {
  /** The object that the client returned, with all its keys and nulls. Python orders the keys differently. */
  readonly json: Json | null;
  readonly bytes: Buffer | null;
  readonly refusal: Refusal | null;
  /** The request id that the client exposes. */
  readonly requestId: string | null;
  /** All replies to the call, in order. */
  readonly replies: readonly Reply[];
  /** The seconds that the client would have waited between the replies. The tests skip these waits. */
  readonly waits: readonly number[];
}

/** A file for a form. If the name is missing, the client uses its default name. */
export interface FileToSend {
  readonly bytes: Buffer;
  readonly name?: string;
}

/** The fields of a form or a body by their names on the wire. Undefined fields are not sent. */
export type Fields = Readonly<Record<string, unknown>>;

/** The query of a list. */
export type Query = Readonly<Record<string, string | number>>;

/** The calls of the contract. They resolve with refusals, and reject only if there is no reply or the client fails. */
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
  /** Verifies a webhook and resolves with its content. Rejects if the webhook is not authentic. */
  unwrap(body: string, headers: Readonly<Record<string, string>>, secret: string): Promise<Json>;
  /** The name that the client gives to a file without a name. */
  readonly nameOfBareBytes: string;
  /** The number of times that the client retries a call by default. */
  readonly retries: number;
  /** Returns the same client with another API key. */
  withKey(key: string): Client;
}

/**
 * The service as a client finds it. `urls` has the addresses of all APIs. Calls go to the APIs in turn, so that no API
 * can rely on having seen the previous call.
 */
export interface Target {
  readonly urls: readonly string[];
  readonly key: string;
}

/** Returns a function that returns the elements in turn, and then starts again. */
export function inTurn<T>(all: readonly T[]): () => T {
  let next = 0;
  return () => {
    const one = all[next++ % all.length];
    if (one === undefined) throw new Error("The list must not be empty.");
    return one;
  };
}
