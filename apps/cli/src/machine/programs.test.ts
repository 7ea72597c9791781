import { expect, test } from "@jest/globals";
import { isProgramOf, isSupervisor, programArguments, programFile } from "./programs.ts";

const apiOf = (dataDir: string): string =>
  ["/usr/bin/node", programFile("api"), ...programArguments(dataDir)].join(" ");

test("recognises a program by its main file and its data folder together", () => {
  const isOurs = isProgramOf("/srv/data");

  expect(isOurs(apiOf("/srv/data"))).toBe(true);
  expect(isOurs(apiOf("/srv/data2"))).toBe(false);
  expect(isOurs("/usr/bin/node /srv/other/main.js --data-dir /srv/data")).toBe(false);
});

test.each([
  ["node apps/cli/dist/main.js up", true],
  ["/usr/bin/node /opt/nightshift/apps/cli/dist/main.js up", true],
  ["node /opt/nightshift/node_modules/.bin/nightshift run requests.jsonl", true],
  ["node /opt/nightshift/apps/api/dist/main.js --data-dir /srv/data", false],
  ["vim notes.txt", false],
])("'%s' is a supervisor: %s", (line, expected) => {
  expect(isSupervisor(line)).toBe(expected);
});
