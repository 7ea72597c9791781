/** Failures at the start that an operator can fix, such as a wrong variable or a port that is taken. */

/** A reason not to start. `runProcess` prints only its message and exits with 1. */
export class StartupError extends Error {
  override readonly name: string = "StartupError";
}

/** Settles like `work`, but turns an error of the class `Explained` into a StartupError with the same message. */
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
