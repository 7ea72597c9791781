/** Keeps this machine's Postgres running on the same port, so that its clients can reconnect. */
import { setTimeout as delay } from "node:timers/promises";
import { LocalPostgresError, startLocalPostgres, type LocalPostgres } from "@nightshift/local-postgres";
import { createBackoff, startupErrorOf } from "@nightshift/service";
import { endOnExit, signalProcess } from "./processes.ts";

export interface PostgresOptions {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called each time Postgres ends unexpectedly or fails to start. */
  readonly onEnd: (message: string) => void;
  /** Called when Postgres has a new URL, because another program took its port. */
  readonly onMoved: () => void;
}

export interface SupervisedPostgres {
  readonly url: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts Postgres and keeps it running until `stop`. Rejects with StartupError if the first start fails. */
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
      const reason = await current.exited;
      if (isStopping()) return;
      onEnd(`${reason}\nIt will be started again.`);
      const next = await startAgain(current.port);
      if (next === null) return;
      const isMoved = next.url !== current.url;
      current = next;
      if (isMoved) onMoved();
    }
  };
  const gone = keepRunning();
  // SIGQUIT is Postgres' "immediate" shutdown. It skips the checkpoint and does not lose committed data.
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
      // A start that was in progress when `stop` was called may have started another server.
      await current.stop();
    },
  };
}
