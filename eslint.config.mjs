// The lint rules of the whole repository; each rule beyond the presets says in its place what it holds.
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
      // The compiler accepts imports of workspace packages that package.json does not declare: this does not.
      "import-x/no-extraneous-dependencies": [
        "error",
        { devDependencies: ["jest.config.ts", "**/*.test.ts", "tests/**"] },
      ],
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "off",
      // Configuration is read in one place of each process.
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
  // The readers of the environment: what a process was configured with, and what a test run was given.
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
      // Suites shared between implementations register their tests by functions and expect through helpers of their own.
      "jest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert", "until"] }],
      "jest/no-standalone-expect": "off",
      "jest/no-export": "off",
      // Property tests and answers by status expect inside callbacks and branches that the test itself makes sure to reach.
      "jest/no-conditional-expect": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, "no-undef": "off" },
  },
);
