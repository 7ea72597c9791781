/** Checks that the port is free before anything slow starts, and finds the program that uses it. */
import { once } from "node:events";
import { createServer } from "node:net";
import { StartupError } from "@nightshift/service";
import { portToPid } from "pid-port";
import { commandLine } from "./processes.ts";

/** Throws StartupError that names the program on the port. Port 0 is always free. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen({ host, port, exclusive: true }), "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") throw new StartupError(`Cannot listen on ${host}:${String(port)}: ${message}`);
    throw new StartupError(
      `Port ${String(port)} is in use by ${await findProgramOn(port)}.\n` +
        `Stop it, or use another port: PORT=${String(port + 1)} npm start`,
      { cause: error },
    );
  }
  probe.close();
  await once(probe, "close");
}

async function findProgramOn(port: number): Promise<string> {
  // The lookup needs ss, netstat or lsof, and permission to see other users' processes. It may find nothing.
  const pid = await portToPid({ port, host: "*" }).catch(() => undefined);
  if (pid === undefined) return "another program";
  const line = await commandLine(pid);
  return `${line ?? "another program"} (pid ${String(pid)})`;
}
