// The lint rules of the whole repository. A comment explains each rule that goes beyond the presets.
import { existsSync, readdirSync } from "node:fs";
import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import jest from "eslint-plugin-jest";
import n from "eslint-plugin-n";
import tseslint from "typescript-eslint";

const root = import.meta.dirname;
const workspaces = ["packages", "apps"].flatMap((folder) =>
  readdirSync(`${root}/${folder}`)
    .map((name) => `${root}/${folder}/${name}`)
    .filter((path) => existsSync(`${path}/package.json`)),
);
const tests = ["**/*.test.ts", "tests/**/*.ts", "{packages,apps}/*/test/**/*.ts"];

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "coverage/**", "data/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { "import-x": importX, n },
    rules: {
      // The compiler accepts imports of workspace packages that package.json does not declare. This rule rejects them.
      "import-x/no-extraneous-dependencies": [
        "error",
        { devDependencies: ["jest.config.ts", "**/*.test.ts", "tests/**"] },
      ],
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "off",
      // Each process reads its configuration in one place.
      "n/no-process-env": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 12],
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  // Only these files may read the environment: the configuration of each process, and the setup of a test run.
  { files: ["apps/*/src/config.ts", "packages/testing/src/**/*.ts"], rules: { "n/no-process-env": "off" } },
  { files: ["jest.config.ts"], rules: { "import-x/no-default-export": "off" } },
  // A closure over a variable that is defined later hides a cycle. The worker is wired in one direction instead.
  {
    files: ["apps/worker/**/*.ts"],
    rules: { "@typescript-eslint/no-use-before-define": ["error", { functions: false, ignoreTypeReferences: true }] },
  },
  {
    files: tests,
    ...jest.configs["flat/recommended"],
    rules: {
      ...jest.configs["flat/recommended"].rules,
      "import-x/no-extraneous-dependencies": ["error", { packageDir: [root, ...workspaces] }],
      "n/no-process-env": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      // Suites that several implementations share register their tests in functions and assert in helper functions.
      "jest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert", "until"] }],
      "jest/no-standalone-expect": "off",
      "jest/no-export": "off",
      // Property tests and tests of several statuses assert in callbacks and branches, and check that they are reached.
      "jest/no-conditional-expect": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, "no-undef": "off" },
  },
);
