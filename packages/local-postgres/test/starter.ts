/** Starts Postgres in another process, so that a test can kill that process or run it as another user. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";

const packageFolder = path.resolve(import.meta.dirname, "..");

/** Runs the built package like a user's process: starts Postgres, prints its URL and pid, and stays until killed. */
const SCRIPT = `
  const { startLocalPostgres } = await import(process.argv[1]);
  const { url, pid } = await startLocalPostgres({ dir: process.argv[2] });
  console.log(JSON.stringify({ url, pid }));
  setInterval(() => {}, 60_000);
`;

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Returns the account `nobody` if this process is root and `nobody` can read this clone, otherwise null. */
export function findOrdinaryUser(): Ids | null {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" })));
  if (uid === undefined || gid === undefined) return null;
  try {
    // Uses the full path: a working directory is entered before the user changes, and could then be read from inside.
    const file = path.join(packageFolder, "package.json");
    execFileSync(process.execPath, ["-e", "fs.readFileSync(process.argv[1])", file], {
      cwd: "/",
      stdio: "ignore",
      uid,
      gid,
    });
    return { uid, gid };
  } catch {
    // The clone is in a home that only root can enter, so an ordinary user could not start anything.
    return null;
  }
}

export function spawnStarter(dir: string, ids: Ids | null = null): ChildProcess {
  return spawn(
    process.execPath,
    ["--input-type=module", "-e", SCRIPT, path.join(packageFolder, "dist", "index.js"), dir],
    { cwd: "/", stdio: ["ignore", "pipe", "pipe"], ...ids },
  );
}

/** Resolves with the starter's output once Postgres accepts connections. Rejects with its errors if it ends first. */
export async function readStarted(starter: ChildProcess): Promise<{ url: string; pid: number }> {
  const { stdout, stderr } = starter;
  if (stdout === null || stderr === null) throw new Error("the starter has no pipes");
  const said = text(stderr);
  const line = await Promise.race([
    once(stdout, "data").then(([chunk]) => String(chunk)),
    once(starter, "exit").then(async () => {
      throw new Error(await said);
    }),
  ]);
  return JSON.parse(line) as { url: string; pid: number };
}

/** Kills the starter like a crash, so that its Postgres is not stopped. */
export async function killHard(starter: ChildProcess): Promise<void> {
  if (starter.exitCode !== null || starter.signalCode !== null) return;
  starter.kill("SIGKILL");
  await once(starter, "exit");
}
