/**
 * Which IP addresses are somebody else's on the public internet. A webhook must not reach what only this machine or its
 * network can: metadata services, databases, dashboards (server-side request forgery).
 */
import ipaddr from "ipaddr.js";

/** Where all global unicast addresses of IPv6 are (RFC 4291); everything else, such as `::7f00:1`, means something local or nothing. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3") as [ipaddr.IPv6, number];

/**
 * False for loopback, private, link-local, unique-local, carrier-grade NAT, multicast, 0.0.0.0/8, documentation and every
 * other range that the IANA registries of special-purpose addresses keep from the internet, for the IPv6 forms that carry
 * such an IPv4 address (mapped, 6to4, NAT64, Teredo), and for what is no address at all.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` turns ::ffff:10.0.0.1 into 10.0.0.1.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" || (parsed as ipaddr.IPv6).match(GLOBAL_UNICAST);
}
