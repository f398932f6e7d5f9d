import { faultOfUrl } from './endpoint.js';
import {
  addressIn,
  isPublicAddress,
  PrivateAddressError,
  publicLookup,
  type Resolve,
} from './public-address.js';

describe('An address', () => {
  it.each([
    '93.184.216.34',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '2606:4700:4700::1111',
    '::ffff:93.184.216.34',
  ])('%s is of the public internet', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'no address',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://0x7f000001/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:ffff:7f00:0001]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://app.localhost/',
    'https://db.internal/',
    'http://example.com/',
    'ftp://example.com/',
    'https://user@example.com/',
    'https://user:word@example.com/',
    'https://example.com/#here',
    'example.com',
    '',
  ])('in %s makes the URL one that nothing is sent to', (url) => {
    expect(faultOfUrl(url, 'public')).not.toBeNull();
  });

  it('of any kind may be sent to where private ones are allowed', () => {
    for (const url of [
      'http://127.0.0.1:3000/hook',
      'https://[::1]/',
      'http://db.internal/',
      'https://example.com/',
    ]) {
      expect(faultOfUrl(url, 'any')).toBeNull();
    }
    expect(faultOfUrl('ftp://127.0.0.1/', 'any')).toBe('url must begin with https: or http:.');
    expect(faultOfUrl('https://example.com/hook?a=1', 'public')).toBeNull();
  });

  it('in a URL is found in any notation, and a name is none', () => {
    expect(addressIn(new URL('https://0x7f.1/'))).toBe('127.0.0.1');
    expect(addressIn(new URL('https://[::ffff:127.0.0.1]/'))).toBe('::ffff:7f00:1');
    expect(addressIn(new URL('https://example.com/'))).toBeNull();
  });
});

describe('A look-up for sockets', () => {
  function look(addresses: readonly string[], all: boolean): Promise<unknown> {
    const resolve: Resolve = (_, __, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    return new Promise((done, fail) => {
      publicLookup(resolve)('name', { all }, (error, address, family) =>
        error === null ? done(all ? address : [address, family]) : fail(error),
      );
    });
  }

  it('gives the addresses that it looked at', async () => {
    expect(await look(['1.1.1.1', '2606:4700:4700::1111'], false)).toEqual(['1.1.1.1', 4]);
    expect(await look(['1.1.1.1'], true)).toEqual([{ address: '1.1.1.1', family: 4 }]);
  });

  it.each([[['127.0.0.1']], [['1.1.1.1', '10.0.0.1']], [['::ffff:169.254.169.254']], [[]]])(
    'refuses a name that is of %p',
    async (addresses) => {
      await expect(look(addresses, false)).rejects.toThrow(PrivateAddressError);
      await expect(look(addresses, true)).rejects.toThrow(PrivateAddressError);
    },
  );
});
