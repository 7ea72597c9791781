/** Reads the repository for the architecture tests: its workspaces, their sources, and the imports of each source. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "../..");

/** One package or app: its folder, and the production dependencies in its package.json. */
export interface Workspace {
  readonly name: string;
  readonly folder: string;
  readonly dependencies: readonly string[];
}

/**
 * One source file that ships (tests do not ship), with the names of the modules that it imports, including type
 * imports.
 */
export interface Source {
  readonly workspace: Workspace;
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/** Returns every workspace of the repository, in alphabetical order. */
export function readWorkspaces(): readonly Workspace[] {
  return ["apps", "packages"].flatMap((parent) =>
    readdirSync(path.join(root, parent))
      .map((name) => path.join(root, parent, name))
      .filter((folder) => existsSync(path.join(folder, "package.json")))
      .map((folder) => {
        const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
        const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
        return { name: manifest.name, folder: path.relative(root, folder), dependencies };
      }),
  );
}

/** Returns every source file of one workspace, with its path from the repository's root. */
export function readSources(workspace: Workspace): readonly Source[] {
  const folder = path.join(root, workspace.folder, "src");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => {
      const text = readFileSync(path.join(folder, file), "utf8");
      const imports = ts.preProcessFile(text).importedFiles.map((imported) => imported.fileName);
      return { workspace, file: path.join(workspace.folder, "src", file), text, imports };
    });
}

/**
 * Returns the package that a module name belongs to (`@scope/name/sub` is `@scope/name`), or null for a relative or
 * built-in module.
 */
export function packageOf(moduleName: string): string | null {
  if (moduleName.startsWith(".") || moduleName.startsWith("node:")) return null;
  const parts = moduleName.split("/");
  return parts.slice(0, moduleName.startsWith("@") ? 2 : 1).join("/");
}
