/** Creates folders for the files of a test run. */
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * Creates a folder under the system's temporary folder. Other users may enter it, because root runs Postgres as another
 * user, whose files are in the folder.
 */
export async function makeTemporaryFolder(purpose: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `nightshift-${purpose}-`));
  await chmod(folder, 0o755);
  return folder;
}
