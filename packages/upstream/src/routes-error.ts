/** The error for an invalid configuration of upstreams, with all faults at once. */

/** One fault. `got` never contains a secret. */
export interface RouteFault {
  /** A path in the YAML file (`upstreams.gateway.concurrency`) or the name of a variable. */
  readonly where: string;
  readonly got: string;
  readonly expected: string;
  /** Line of the YAML file, counted from 1. */
  readonly line?: number;
}

/** Returns the place of a path in the file. */
export type Place = (path: readonly string[]) => Pick<RouteFault, "where" | "line">;

/** Lists all faults. The message is for the operator. */
export class RoutesError extends Error {
  override readonly name = "RoutesError";
  readonly faults: readonly RouteFault[];

  constructor(source: string, faults: readonly RouteFault[]) {
    super([`${source} cannot be used:`, ...faults.map((fault) => `  ${describe(fault)}`)].join("\n"));
    this.faults = faults;
  }
}

function describe({ where, got, expected, line }: RouteFault): string {
  return `${where}${line === undefined ? "" : ` (line ${String(line)})`}: got ${got}, expected ${expected}`;
}
