/** The path of the repository. Tests start the programs from its build. */
import path from "node:path";

/** The root of the repository. The path is correct from the sources and from the build. */
export const REPOSITORY = path.resolve(import.meta.dirname, "../../..");
