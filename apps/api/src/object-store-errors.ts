/** Turns an object store that is away into the 503 that clients repeat. */
import { errors } from "@nightshift/domain";
import { isObjectStoreUnavailable } from "@nightshift/storage";

/** Runs `work` on the object store; rejects with `unavailable` where the store is away, else as `work` does. */
export async function onObjectStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isObjectStoreUnavailable(error) ? errors.unavailable("object store", error) : error;
  }
}
