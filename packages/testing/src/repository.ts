/** Where the repository lies: the programs that tests start are its built ones. */
import path from "node:path";

/** The repository's root, from the sources as from the build. */
export const REPOSITORY = path.resolve(import.meta.dirname, "../../..");
