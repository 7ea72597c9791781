/**
 * The services of this test run, as jest's globalSetup found or started them. Only this file reads the TEST_* variables
 * in tests.
 */

/** The services of a run. Redis, S3, Python and bash are null where this machine lacks them. Postgres is always present. */
export interface TestServices {
  /** The URL of a maintenance database, with a user who may create databases. */
  readonly databaseUrl: string;
  /** The name of the migrated database to clone. */
  readonly databaseTemplate: string;
  readonly redisUrl: string | null;
  readonly s3: TestS3 | null;
  /** The path of a Python that can import `openai`, `requests` and `schemathesis`, or null. */
  readonly python: string | null;
  /** The path of a bash that finds curl, or null. */
  readonly bash: string | null;
  /** Marks everything that belongs to this run: databases by their names, processes by their environment. */
  readonly runId: string;
}

/** An S3 server and the keys to it. */
export interface TestS3 {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Returns the services that globalSetup found. Throws in unit tests, which have none. */
export function testServices(env: NodeJS.ProcessEnv = process.env): TestServices {
  const { TEST_DATABASE_URL, TEST_DATABASE_TEMPLATE, TEST_RUN_ID, TEST_REDIS_URL, TEST_S3_ENDPOINT } = env;
  if (!TEST_DATABASE_URL || !TEST_DATABASE_TEMPLATE || !TEST_RUN_ID) {
    throw new Error(
      "This test has no services. Name a test that needs services *.int.test.ts, *.e2e.test.ts, *.long.test.ts or *.alone.test.ts.",
    );
  }
  return {
    databaseUrl: TEST_DATABASE_URL,
    databaseTemplate: TEST_DATABASE_TEMPLATE,
    runId: TEST_RUN_ID,
    redisUrl: TEST_REDIS_URL ?? null,
    python: env["TEST_PYTHON"] ?? null,
    bash: env["TEST_BASH"] ?? null,
    s3: TEST_S3_ENDPOINT
      ? {
          endpoint: TEST_S3_ENDPOINT,
          region: env["TEST_S3_REGION"] ?? "us-east-1",
          accessKeyId: env["TEST_S3_ACCESS_KEY_ID"] ?? "minioadmin",
          secretAccessKey: env["TEST_S3_SECRET_ACCESS_KEY"] ?? "minioadmin",
        }
      : null,
  };
}
