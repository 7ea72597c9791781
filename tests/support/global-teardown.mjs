// Jest's globalTeardown: stops the services, and fails the run when a process that a test started is still running.
import { stopTestServices } from "@nightshift/testing/services";

export default stopTestServices;
