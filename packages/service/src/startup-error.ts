/** The one kind of failure that an operator can retry alone: a wrong variable, a port that is taken. */

/** A reason not to start whose message says all: `runProcess` prints it without a stack trace and exits with 1. */
export class StartupError extends Error {
  override readonly name: string = "StartupError";
}

/** Settles as `work` does, but that an error of the class `Explained`, whose message says all, becomes a StartupError. */
export async function startupErrorOf<T>(
  Explained: new (...args: never[]) => Error,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Explained) throw new StartupError(error.message, { cause: error });
    throw error;
  }
}
