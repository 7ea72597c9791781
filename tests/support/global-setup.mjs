// Jest's globalSetup: starts the services of integration and end-to-end tests. It uses the built package, because jest
// does not compile this file.
import { startTestServices } from "@nightshift/testing/services";

export default startTestServices;
