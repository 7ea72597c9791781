/** The main file of the simulator process. */
import { runProcess } from "@nightshift/service";
import { readSimulatorConfig } from "./config.ts";
import { startSimulator } from "./server.ts";

runProcess("simulator", async (life) => {
  const { host, port, settings } = readSimulatorConfig();
  const simulator = await startSimulator(settings, { host, port });
  life.onStop("http", 5_000, () => simulator.close());
  process.stdout.write(`Nightshift's simulator, not a model, answers at ${simulator.url}/v1\n`);
  life.listening(simulator.url);
});
