/** The examples of the documentation, for tests that run them. */
export {
  commandsOf,
  fillIn,
  keysOf,
  pageExample,
  type PageExample,
  pageExamples,
  readPage,
  replyOf,
} from "./page-examples.ts";
export { PLACEHOLDERS, type Placeholder } from "./placeholders.ts";
