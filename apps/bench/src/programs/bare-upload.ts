/** The baseline of uploads: Express and multer receive the same bytes and discard them. */
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import express from "express";
import multer from "multer";

const discard: multer.StorageEngine = {
  _handleFile(_request, file, done) {
    let bytes = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, next) {
        bytes += chunk.length;
        next();
      },
    });
    pipeline(file.stream, sink).then(() => {
      done(null, { size: bytes });
    }, done);
  },
  _removeFile(_request, _file, done) {
    done(null);
  },
};

const app = express();
app.post("/v1/files", multer({ storage: discard }).single("file"), (request, response) => {
  response.json({ id: "file-discarded", bytes: request.file?.size });
});
const server = app.listen(0, "127.0.0.1", () => {
  process.send?.({ type: "listening", url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
});
process.once("disconnect", () => process.exit());
process.once("SIGTERM", () => process.exit());
