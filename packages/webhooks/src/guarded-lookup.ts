/**
 * DNS lookup for connections that must go to public addresses. Node connects only to the addresses that this lookup
 * returns, so DNS rebinding (another address at the second lookup) has no effect: there is no second lookup.
 */
import { lookup } from "node:dns/promises";
import type { LookupAddress, LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** Returns the addresses of a name, in the order to try them. */
export type Resolve = (hostname: string, options: LookupOptions) => Promise<LookupAddress[]>;

/** Resolves names with /etc/hosts and DNS, like the machine. */
export const systemResolve: Resolve = (hostname, options) => lookup(hostname, { ...options, all: true });

/** The connection would go to this machine or to a private network. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";

  constructor(host: string, addresses: readonly string[] = []) {
    const where = addresses.length === 0 ? "is" : `resolves to ${addresses.join(", ")}:`;
    super(`${host} ${where} an address of this machine or of a private network, which webhooks must not reach`);
  }
}

/**
 * Returns a function for the option `lookup` of Node's connections. It fails with PrivateAddressError if a name has no
 * public address.
 */
export function guardedLookup(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options).then(
      (found) => {
        const addresses = found.filter(({ address }) => isPublicAddress(address));
        const [first] = addresses;
        if (first === undefined) {
          callback(
            new PrivateAddressError(
              hostname,
              found.map(({ address }) => address),
            ),
            [],
          );
        } else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => {
        callback(error as NodeJS.ErrnoException, []);
      },
    );
  };
}
