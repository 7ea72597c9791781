/** The path of the repository. Tests start the programs from its build. */
import path from "node:path";

/** The repository's root, from the sources as from the build. */
export const REPOSITORY = path.resolve(import.meta.dirname, "../../..");
