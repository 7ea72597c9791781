/** Runs the suites on Redis, if there is a server. */
import { describe, jest, test } from "@jest/globals";
import { testServices } from "@nightshift/testing";
import { openRedisUnderTest } from "./backend-under-test.ts";
import { outageSuite } from "./outage-suite.ts";
import { queueSuite } from "./queue-suite.ts";

// Timeouts of unavailable servers and locks of killed workers last for seconds.
jest.setTimeout(30_000);

if (testServices().redisUrl === null) {
  test.todo("on Redis: skipped, no Redis server found (install redis-server or set TEST_REDIS_URL)");
} else {
  describe("on Redis", () => {
    queueSuite(openRedisUnderTest);
    outageSuite(openRedisUnderTest);
  });
}
