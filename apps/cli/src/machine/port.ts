/** Is the port free, and if not, who has it? Asked before anything slow is started. */
import { once } from "node:events";
import { createServer } from "node:net";
import { StartupError } from "@nightshift/service";
import { portToPid } from "pid-port";
import { commandLine } from "./processes.ts";

/** Throws StartupError that names the program which has the port. Port 0 is always free. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen({ host, port, exclusive: true }), "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") throw new StartupError(`Cannot listen on ${host}:${String(port)}: ${message}`);
    throw new StartupError(
      `Port ${String(port)} is taken by ${await nameHolder(port)}.\n` +
        `Stop that, or take another port: PORT=${String(port + 1)} npm start`,
      { cause: error },
    );
  }
  probe.close();
  await once(probe, "close");
}

async function nameHolder(port: number): Promise<string> {
  // It needs ss, netstat or lsof, and the right to see other users' processes: without, the port is taken all the same.
  const pid = await portToPid({ port, host: "*" }).catch(() => undefined);
  if (pid === undefined) return "another program";
  const line = await commandLine(pid);
  return `${line ?? "another program"} (pid ${String(pid)})`;
}
