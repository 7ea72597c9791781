/** The message that the keeper of the services sends to the test run that started it. */

/** Either all services that can be had here are up, or the one that must be is not. */
export type KeeperReport =
  | {
      readonly kind: "started";
      /** Environment variables that tell tests where the services are. */
      readonly variables: Readonly<Record<string, string>>;
      /** One sentence for each service that cannot be had here. */
      readonly missing: readonly string[];
    }
  | { readonly kind: "failed"; readonly message: string };
