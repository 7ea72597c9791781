/** The message that the keeper of the services sends to the test run that started it. */

/** Either all available services are up, or a required one has failed. */
export type KeeperReport =
  | {
      readonly kind: "started";
      /** Environment variables with the addresses of the services. */
      readonly variables: Readonly<Record<string, string>>;
      /** One sentence for each missing service. */
      readonly missing: readonly string[];
    }
  | { readonly kind: "failed"; readonly message: string };
