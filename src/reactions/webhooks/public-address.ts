import { lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where nothing is sent to, whatever it is called: not an address of the public internet. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
  constructor(host: string) {
    super(`${host} is not an address of the public internet (WEBHOOKS_ALLOW_PRIVATE)`);
  }
}

/**
 * Whether an address (IPv4 or IPv6, in any notation that a resolver gives) is of the public internet. One that carries an
 * IPv4 address within is as public as that one where it is mapped (RFC 4291, 2.5.5.2), and private where a gateway in
 * between would choose (NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const inner =
    parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
  return inner.range() === 'unicast';
}

/** The host of a URL as an address, `null` where it is a name. `URL` has put every other notation of IPv4 into the usual one. */
export function addressIn({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? null : bare;
}

/** Resolves a name as `dns.lookup` does, with all addresses. */
export type Resolve = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: readonly ResolvedAddress[]) => void,
) => void;
interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * A `lookup` for sockets that gives none but public addresses: the socket connects to the very address that was looked at, so
 * a name cannot be another one between the look and the connection.
 */
export function publicLookup(resolve: Resolve = resolveName as Resolve): LookupFunction {
  return (host, options, done) => {
    resolve(host, { all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const open = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = open;
      if (first === undefined || open.length < addresses.length) {
        return done(new PrivateAddressError(host), '', 0);
      }
      if (options.all === true) return done(null, [...open]);
      done(null, first.address, first.family);
    });
  };
}
