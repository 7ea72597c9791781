/**
 * Name look-up for connections that must go to public addresses. Node connects to exactly the addresses that this hands
 * over, so a name that leads elsewhere at its second look-up (DNS rebinding) gains nothing: there is no second one.
 */
import { lookup } from "node:dns/promises";
import type { LookupAddress, LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** Addresses of a name, in the order in which they are to be tried. */
export type Resolve = (hostname: string, options: LookupOptions) => Promise<LookupAddress[]>;

/** As the machine resolves names: /etc/hosts and DNS. */
export const systemResolve: Resolve = (hostname, options) => lookup(hostname, { ...options, all: true });

/** The connection would have gone to this machine or its network. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";

  constructor(host: string, addresses: readonly string[] = []) {
    const where = addresses.length === 0 ? "is" : `leads to ${addresses.join(", ")}:`;
    super(`${host} ${where} an address of this machine or of a private network, which webhooks must not reach`);
  }
}

/** For the option `lookup` of Node's connections: fails with PrivateAddressError where a name has no public address. */
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
