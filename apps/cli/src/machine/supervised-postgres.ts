/** The machine's own Postgres, kept running on the same port, so that its clients come back by themselves. */
import { setTimeout as delay } from "node:timers/promises";
import { LocalPostgresError, startLocalPostgres, type LocalPostgres } from "@nightshift/local-postgres";
import { createBackoff, startupErrorOf } from "@nightshift/service";
import { endOnExit, signalProcess } from "./processes.ts";

export interface PostgresOptions {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told about each end that nobody asked for, and about starts that fail. */
  readonly onEnd: (message: string) => void;
  /** Called when Postgres came back under another URL because somebody took its port. */
  readonly onMoved: () => void;
}

export interface SupervisedPostgres {
  readonly url: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts Postgres and keeps it running until `stop`. Rejects with StartupError when the first start fails. */
export async function supervisePostgres({ dir, env, onEnd, onMoved }: PostgresOptions): Promise<SupervisedPostgres> {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const backoff = createBackoff();
  let current = await startupErrorOf(LocalPostgresError, () => startLocalPostgres({ dir, env }));

  const startAgain = async (port: number): Promise<LocalPostgres | null> => {
    for (let ranMs = Infinity; !isStopping(); ranMs = 0) {
      await delay(backoff.next(ranMs), undefined, { signal: stopping.signal }).catch(() => undefined);
      if (isStopping()) return null;
      try {
        return await startLocalPostgres({ dir, env, port });
      } catch (error) {
        onEnd(error instanceof Error ? error.message : String(error));
      }
    }
    return null;
  };
  const keepRunning = async (): Promise<void> => {
    while (!isStopping()) {
      const how = await current.exited;
      if (isStopping()) return;
      onEnd(`${how}\nIt is started again.`);
      const next = await startAgain(current.port);
      if (next === null) return;
      const isMoved = next.url !== current.url;
      current = next;
      if (isMoved) onMoved();
    }
  };
  const gone = keepRunning();
  // SIGQUIT is Postgres' "immediate" shutdown: no checkpoint, and nothing committed is lost.
  const forgetExit = endOnExit(() => {
    signalProcess(current.pid, "SIGQUIT");
  });
  return {
    url: () => current.url,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await gone;
      forgetExit();
      // A start that was under way when we were stopped has left another one running.
      await current.stop();
    },
  };
}
