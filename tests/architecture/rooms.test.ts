/** Checks that the folders of an app import each other in one direction. */
import path from "node:path";
import { expect, test } from "@jest/globals";
import { readSources, readWorkspaces } from "./sources.ts";

const ROOTS = ["apps/api", "packages/db"];

/** The folder of a file directly below `src`, or the file itself if it has none. */
function roomOf(file: string, src: string): string {
  const [room = ""] = path.relative(src, file).split(path.sep);
  return room;
}

/** For each folder or top-level file of `src`: the ones that it imports. */
function readRooms(folder: string): Map<string, Set<string>> {
  const src = path.join(folder, "src");
  const rooms = new Map<string, Set<string>>();
  for (const { file, imports } of readWorkspaces()
    .filter((one) => one.folder === folder)
    .flatMap(readSources)) {
    const from = roomOf(file, src);
    const targets = rooms.get(from) ?? new Set();
    rooms.set(from, targets);
    for (const imported of imports.filter((name) => name.startsWith("."))) {
      const to = roomOf(path.join(path.dirname(file), imported), src);
      if (to !== from) targets.add(to);
    }
  }
  return rooms;
}

/** Removes folders that import no remaining folder, until none is left or the rest imports in a circle. */
function findCircle(rooms: Map<string, Set<string>>): string[] {
  const left = new Map(rooms);
  for (;;) {
    const lowest = [...left].filter(([, targets]) => ![...targets].some((target) => left.has(target)));
    if (lowest.length === 0) return [...left.keys()].sort();
    for (const [room] of lowest) left.delete(room);
  }
}

test.each(ROOTS)("the folders of %s do not import in a circle", (folder) => {
  const rooms = readRooms(folder);

  expect(rooms.size).toBeGreaterThan(1);
  expect(findCircle(rooms)).toEqual([]);
});
