/** The suites on Redis, where there is one. */
import { describe, jest, test } from "@jest/globals";
import { testServices } from "@nightshift/testing";
import { openRedisUnderTest } from "./backend-under-test.ts";
import { outageSuite } from "./outage-suite.ts";
import { queueSuite } from "./queue-suite.ts";

// Time-outs of servers that are away, and the locks of workers that died, last for seconds.
jest.setTimeout(30_000);

if (testServices().redisUrl === null) {
  test.todo("on Redis: left out, there is no Redis server here (install redis-server or set TEST_REDIS_URL)");
} else {
  describe("on Redis", () => {
    queueSuite(openRedisUnderTest);
    outageSuite(openRedisUnderTest);
  });
}
