import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { EventEmitter, once } from "node:events";
import type { Lifecycle } from "./lifecycle.ts";
import { createLogger } from "./logger.ts";
import { runProcess, type HostProcess } from "./run-process.ts";
import { StartupError } from "./startup-error.ts";

/** Replaces Node's `process`. `exited` resolves with the first exit code. */
class FakeProcess extends EventEmitter implements HostProcess {
  readonly stdout = new EventEmitter();
  readonly stderr = Object.assign(new EventEmitter(), { write: (text: string) => this.printed.push(text) });
  readonly printed: string[] = [];
  readonly sent: unknown[] = [];
  readonly exits: number[] = [];
  connected = false;
  send?: (message: unknown) => unknown;

  exit(code: number): void {
    this.exits.push(code);
    this.emit("test.exit", code);
  }

  fork(): this {
    this.connected = true;
    this.send = (message) => this.sent.push(message);
    return this;
  }

  async exited(): Promise<number> {
    if (this.exits.length === 0) await once(this, "test.exit");
    return this.exits[0] ?? -1;
  }
}

const silent = createLogger({ name: "test", level: "silent" });

/** Runs `main` with a silent logger. */
function run(host: FakeProcess, main: (life: Lifecycle) => Promise<void> | void): void {
  runProcess(
    "test",
    async (life) => {
      life.logWith(silent);
      await main(life);
    },
    host,
  );
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test.each(["SIGTERM", "SIGINT"])("%s stops in phases, the last registered first, and exits with 0", async (signal) => {
  const host = new FakeProcess();
  const done: string[] = [];
  run(host, (life) => {
    for (const name of ["database", "queue", "server"]) {
      life.onStop(name, 1_000, async () => {
        done.push(`${name} begins, stopping: ${String(life.stopping.aborted)}`);
        await Promise.resolve();
        done.push(`${name} ends`);
      });
    }
  });

  host.emit(signal);

  expect(await host.exited()).toBe(0);
  expect(done).toEqual([
    "server begins, stopping: true",
    "server ends",
    "queue begins, stopping: true",
    "queue ends",
    "database begins, stopping: true",
    "database ends",
  ]);
});

test("a phase that fails or hangs does not stop the others, and makes the exit code 1", async () => {
  const host = new FakeProcess();
  const done: string[] = [];
  run(host, (life) => {
    life.onStop("database", 1_000, () => void done.push("database"));
    life.onStop("hanging", 5_000, () => new Promise(() => undefined));
    life.onStop("throwing", 1_000, () => {
      throw new Error("no");
    });
    life.onStop("rejecting", 1_000, () => Promise.reject(new Error("no")));
  });

  host.emit("SIGTERM");
  await jest.advanceTimersByTimeAsync(4_999);
  expect(done).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);

  expect(await host.exited()).toBe(1);
  expect(done).toEqual(["database"]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("a second %s exits at once", async (signal, exitCode) => {
  const host = new FakeProcess();
  run(host, (life) => {
    life.onStop("slow", 60_000, () => new Promise(() => undefined));
  });
  host.emit(signal);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(host.exits).toEqual([]);

  host.emit(signal);

  expect(host.exits).toEqual([exitCode]);
});

test("a Ctrl-C that arrives twice, followed by the supervisor's SIGTERM, causes an orderly stop", async () => {
  const host = new FakeProcess();
  let finish: () => void = () => undefined;
  run(host, (life) => {
    life.onStop("slow", 60_000, () => new Promise<void>((resolve) => (finish = resolve)));
  });

  host.emit("SIGINT");
  await jest.advanceTimersByTimeAsync(20);
  host.emit("SIGINT");
  await jest.advanceTimersByTimeAsync(2_000);
  host.emit("SIGTERM");
  expect(host.exits).toEqual([]);
  finish();

  expect(await host.exited()).toBe(0);
});

test("a forked process reports its URL, and stops when its parent is gone", async () => {
  const host = new FakeProcess().fork();
  const closed: string[] = [];
  run(host, (life) => {
    life.onStop("server", 1_000, () => void closed.push("server"));
    life.listening("http://127.0.0.1:1234");
  });
  expect(host.sent).toEqual([{ type: "listening", url: "http://127.0.0.1:1234" }]);

  host.emit("disconnect");

  expect(await host.exited()).toBe(0);
  expect(closed).toEqual(["server"]);
});

test("a forked process does not start if its parent has already died", async () => {
  const host = new FakeProcess().fork();
  host.connected = false;
  let isBegun = false;
  run(host, () => {
    isBegun = true;
  });

  expect(await host.exited()).toBe(0);
  expect(isBegun).toBe(false);
});

test("phases that main registers during the shutdown run too", async () => {
  const host = new FakeProcess();
  const closed: string[] = [];
  let opened: () => void = () => undefined;
  run(host, async (life) => {
    life.onStop("first", 1_000, () => void closed.push("first"));
    await new Promise<void>((resolve) => (opened = resolve));
    life.onStop("late", 1_000, () => void closed.push("late"));
  });

  host.emit("SIGTERM");
  await jest.advanceTimersByTimeAsync(10);
  expect(closed).toEqual(["first"]);
  opened();

  expect(await host.exited()).toBe(0);
  expect(closed).toEqual(["first", "late"]);
});

test("a main function that ignores the shutdown is abandoned after ten seconds", async () => {
  const host = new FakeProcess();
  run(host, () => new Promise(() => undefined));

  host.emit("SIGTERM");
  await jest.advanceTimersByTimeAsync(10_000);

  expect(await host.exited()).toBe(1);
});

test("a StartupError is printed without its stack, and the registered phases run", async () => {
  const host = new FakeProcess();
  const closed: string[] = [];
  run(host, (life) => {
    life.onStop("database", 1_000, () => void closed.push("database"));
    throw new StartupError("Port 8080 is taken.");
  });

  expect(await host.exited()).toBe(1);
  expect(host.printed).toEqual(["Port 8080 is taken.\n"]);
  expect(closed).toEqual(["database"]);
});

test("any other error at the start exits with 1", async () => {
  const host = new FakeProcess();
  run(host, () => Promise.reject(new Error("broken")));

  expect(await host.exited()).toBe(1);
  expect(host.printed).toEqual([]);
});

test.each(["uncaughtException", "unhandledRejection"])(
  "%s is logged, and the process exits with 1 at once",
  (event) => {
    const host = new FakeProcess();
    const logged: unknown[] = [];
    run(host, (life) => {
      life.logWith(
        Object.assign(Object.create(silent) as typeof silent, { fatal: (...args: unknown[]) => logged.push(args) }),
      );
    });
    const error = new Error("uncaught");

    host.emit(event, error);

    expect(host.exits).toEqual([1]);
    expect(logged).toEqual([[{ err: error }, "crashed"]]);
  },
);

test("stop exits with the given exit code", async () => {
  const host = new FakeProcess();
  run(host, (life) => {
    life.stop("done", 3);
  });

  expect(await host.exited()).toBe(3);
});

test("a closed pipe is ignored, and any other error of the stream is thrown", () => {
  const host = new FakeProcess();
  run(host, () => undefined);

  expect(() => host.stdout.emit("error", Object.assign(new Error("broken pipe"), { code: "EPIPE" }))).not.toThrow();
  expect(() => host.stderr.emit("error", Object.assign(new Error("disk full"), { code: "ENOSPC" }))).toThrow(
    "disk full",
  );
});
