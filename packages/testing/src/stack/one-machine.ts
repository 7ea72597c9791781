/** The one-machine profile: `nightshift up` on a data folder of its own, without any other configuration. */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { freePort } from "../free-port.ts";
import type { ProfilePlan } from "./profile.ts";

/** Plans a one-machine stack with its data in `folder`. */
export async function planOneMachine(folder: string, env: Readonly<Record<string, string>>): Promise<ProfilePlan> {
  const port = String(await freePort());
  const data = path.join(folder, "data");
  await mkdir(data);
  const readKey = async (name: string): Promise<string> => (await readFile(path.join(data, name), "utf8")).trim();
  return {
    programs: [
      {
        name: "up",
        main: "apps/cli/dist/main.js",
        args: ["up"],
        variables: { PORT: port, NIGHTSHIFT_DATA_DIR: data, ...env },
      },
    ],
    urls: [`http://127.0.0.1:${port}`],
    readKeys: async () => ({ key: await readKey("key"), adminKey: await readKey("admin-key") }),
    databaseUrl: null,
    redisUrl: null,
  };
}
