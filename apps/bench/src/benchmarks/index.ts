/** All benchmarks in the order in which they run. The longest ones run last. */
import type { Benchmark } from "../benchmark.ts";
import { embeddings } from "./embeddings.ts";
import { endurance } from "./endurance.ts";
import { firstLine } from "./first-line.ts";
import { overhead } from "./overhead.ts";
import { realistic } from "./realistic.ts";
import { turnAround } from "./turn-around.ts";
import { upload } from "./upload.ts";
import { waiting } from "./waiting.ts";
import { workers } from "./workers.ts";

export const BENCHMARKS: readonly Benchmark[] = [
  overhead,
  realistic,
  turnAround,
  firstLine,
  upload,
  waiting,
  workers,
  embeddings,
  endurance,
];
