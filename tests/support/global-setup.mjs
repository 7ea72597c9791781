// Starts the services that integration and end-to-end tests use (jest's globalSetup): the built package, since jest does not compile this file.
import { startTestServices } from "@nightshift/testing/services";

export default startTestServices;
