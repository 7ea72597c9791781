/**
 * Tells public IP addresses from private ones. A webhook must not reach services that only this machine or its network
 * can reach, such as metadata services, databases and dashboards (server-side request forgery).
 */
import ipaddr from "ipaddr.js";

/**
 * All global unicast addresses of IPv6 (RFC 4291). Every other address, such as `::7f00:1`, is local or meaningless.
 */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3") as [ipaddr.IPv6, number];

/**
 * Reports whether an address is public. Returns false for loopback, private, link-local, unique-local, carrier-grade
 * NAT, multicast, 0.0.0.0/8, documentation and every other range in the IANA registries of special-purpose addresses.
 * Also returns false for IPv6 forms that contain such an IPv4 address (mapped, 6to4, NAT64, Teredo), and for invalid
 * addresses.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` turns ::ffff:10.0.0.1 into 10.0.0.1.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" || (parsed as ipaddr.IPv6).match(GLOBAL_UNICAST);
}
