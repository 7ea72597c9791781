/** The baseline of downloads: the static file server of Express, for one folder. */
import type { AddressInfo } from "node:net";
import express from "express";

const app = express();
app.use(express.static(process.argv[2] ?? ""));
const server = app.listen(0, "127.0.0.1", () => {
  process.send?.({ type: "listening", url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
});
process.once("disconnect", () => process.exit());
process.once("SIGTERM", () => process.exit());
