/**
 * One request and its reply: the handler for undici's `dispatch`. It collects the body, measures the time, and turns
 * every outcome into one UpstreamReply. It is a class because thousands of exchanges live at once and share their
 * methods.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { AbortWatch } from "./abort-watch.ts";
import { describeFailure } from "./failure.ts";
import type { UpstreamReply } from "./reply.ts";
import { readRetryAfterMs } from "./retry-after.ts";

type Controller = Dispatcher.DispatchController;

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly aborts: AbortWatch;
  readonly onBytes: ((n: number) => void | Promise<void>) | undefined;
  /** Called when undici is done with the request, successfully or not. */
  readonly onEnd: () => void;
}

/** The timeout starts when the exchange is created. */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Rejects only for our own faults: if `onBytes` throws, or if undici refuses the request as malformed. */
  readonly reply: Promise<UpstreamReply>;

  readonly #options: ExchangeOptions;
  readonly #chunks: Buffer[] = [];
  #resolve!: (reply: UpstreamReply) => void;
  #reject!: (error: unknown) => void;
  #isSettled = false;
  #controller: Controller | null = null;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #timer: NodeJS.Timeout | null = null;
  #leftMs: number;
  #runningSince = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#leftMs = options.timeoutMs;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.aborts.add(options.signal, this.#onAbort);
    this.#startClock();
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // The exchange ended while it waited for a connection, so the request must not be sent.
    if (this.#isSettled) controller.abort(new Error("settled"));
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") this.#breakOff(`the reply is encoded as ${encoding}, although identity was requested`);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    // After a resume, undici passes an empty chunk first. A pause for the empty chunk would never end.
    if (this.#isSettled || chunk.length === 0) return;
    this.#chunks.push(chunk);
    let permission: void | Promise<void>;
    try {
      permission = this.#options.onBytes?.(chunk.length);
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    if (permission === undefined) return;
    controller.pause();
    this.#stopClock();
    permission.then(
      () => {
        if (this.#isSettled) return;
        this.#startClock();
        controller.resume();
      },
      (error: unknown) => {
        this.#giveUp(error);
      },
    );
  }

  onResponseEnd(): void {
    this.#options.onEnd();
    const [only, ...rest] = this.#chunks;
    const requestId = this.#headers["x-request-id"];
    this.#settle({
      kind: "answer",
      status: this.#status,
      body: only !== undefined && rest.length === 0 ? only : Buffer.concat(this.#chunks),
      requestId: (Array.isArray(requestId) ? requestId[0] : requestId) ?? null,
      retryAfterMs: readRetryAfterMs(this.#headers, Date.now()),
    });
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.#options.onEnd();
    if (this.#isSettled) return;
    if ((error as NodeJS.ErrnoException).code === "UND_ERR_INVALID_ARG") this.#giveUp(error);
    else this.#settle(describeFailure(error, this.#controller !== null));
  }

  readonly #onAbort = (): void => {
    this.#breakOff("aborted");
  };

  readonly #onTimeout = (): void => {
    const seconds = String(this.#options.timeoutMs / 1000);
    const wasSent = this.#controller !== null;
    this.#settle(
      wasSent
        ? { kind: "timeout", message: `no complete reply within ${seconds} s` }
        : { kind: "refused", message: `no connection within ${seconds} s` },
    );
    this.#controller?.abort(new Error("timeout"));
  };

  #startClock(): void {
    this.#runningSince = performance.now();
    this.#timer = setTimeout(this.#onTimeout, this.#leftMs);
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#leftMs = Math.max(this.#leftMs - (performance.now() - this.#runningSince), 1);
  }

  #breakOff(message: string): void {
    this.#settle({ kind: "broken", message });
    this.#controller?.abort(new Error(message));
  }

  #giveUp(error: unknown): void {
    if (this.#isSettled) return;
    this.#release();
    this.#reject(error);
    this.#controller?.abort(new Error("given up"));
  }

  #settle(reply: UpstreamReply): void {
    if (this.#isSettled) return;
    this.#release();
    this.#resolve(reply);
  }

  #release(): void {
    this.#isSettled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#options.aborts.remove(this.#options.signal, this.#onAbort);
  }
}
