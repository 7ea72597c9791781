/** The one kind of failure that an operator can mend alone: a wrong variable, a port that is taken. */

/** A reason not to start whose message says all: `runProcess` prints it without a stack trace and exits with 1. */
export class StartupError extends Error {
  override readonly name: string = "StartupError";
}
