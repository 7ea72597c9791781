/** Creates folders for the files of a test run. */
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** A new folder under the system's temporary one. Others may enter it: as root, Postgres runs as another user and has its files inside. */
export async function makeTemporaryFolder(purpose: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `nightshift-${purpose}-`));
  await chmod(folder, 0o755);
  return folder;
}
