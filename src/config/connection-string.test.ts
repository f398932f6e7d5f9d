import { InvalidConnectionStringError, parseConnectionString } from './connection-string.js';

function faultOf(text: string): string | null {
  try {
    parseConnectionString(text);
    return null;
  } catch (error) {
    if (error instanceof InvalidConnectionStringError) return error.message;
    throw error;
  }
}

describe('a connection string', () => {
  it('names one node, secure unless it says otherwise', () => {
    expect(parseConnectionString('esdb://localhost')).toMatchObject({
      nodes: { kind: 'single', endpoint: { address: 'localhost', port: 2113 } },
      credentials: null,
      tls: true,
      tlsVerifyCert: true,
    });
    expect(parseConnectionString('esdb://10.0.0.7:2114/?tls=false').tls).toBe(false);
  });

  it('names the nodes of a cluster, or one name for all of them', () => {
    expect(parseConnectionString('esdb://a:1,b,c:3').nodes).toEqual({
      kind: 'cluster',
      endpoints: [
        { address: 'a', port: 1 },
        { address: 'b', port: 2113 },
        { address: 'c', port: 3 },
      ],
    });
    expect(parseConnectionString('esdb+discover://cluster.example:2113').nodes).toEqual({
      kind: 'cluster',
      endpoints: [{ address: 'cluster.example', port: 2113 }],
    });
  });

  it('is taken under the later name of the store', () => {
    for (const rest of ['://u:p@h:2113?tls=false', '+discover://h']) {
      expect(parseConnectionString(`kurrentdb${rest}`)).toEqual(parseConnectionString(`esdb${rest}`));
    }
  });

  it('holds a user and a password, percent-encoded where they need it', () => {
    expect(parseConnectionString('esdb://ops%40x:a%3Ab%2F%3F%40@h').credentials).toEqual({
      username: 'ops@x',
      password: 'a:b/?@',
    });
  });

  it('takes parameters in any spelling of the ecosystem', () => {
    const text =
      'esdb://a,b?TLS=true&tlsCaFile=%2Fca.pem&node-preference=Follower&keep_alive_interval=20000' +
      '&keepAliveTimeout=-1&maxDiscoverAttempts=3&DefaultDeadline=4000&connectionName=billing&tlsVerifyCert=false';
    expect(parseConnectionString(text)).toMatchObject({
      tls: true,
      tlsVerifyCert: false,
      tlsCaFile: '/ca.pem',
      keepAliveInterval: 20_000,
      keepAliveTimeout: -1,
      defaultDeadline: 4_000,
      connectionName: 'billing',
      discovery: { nodePreference: 'follower', maxDiscoverAttempts: 3 },
    });
  });

  it.each([
    ['another scheme', 'http://secret:secret@localhost:2113', /esdb:\/\//],
    ['no scheme', 'localhost:2113', /esdb:\/\//],
    ['no host', 'esdb://', /hosts/],
    ['an empty host', 'esdb://a,,b', /hosts/],
    ['a port that is none', 'esdb://a:secret', /hosts/],
    ['a port out of range', 'esdb://a:70000', /hosts/],
    ['an unencoded / in the password', 'esdb://u:secret/1@h', /esdb:\/\//],
    ['an unencoded ? in the password', 'esdb://u:secret?secret=1@h', /hosts|parameter/],
    ['a user without a password', 'esdb://secret@h', /user:password/],
    ['a stray %', 'esdb://u:secret%zz@h', /percent-encoded/],
    ['a parameter nobody knows', 'esdb://h?secret=1', /parameter that is none of tls/],
    ['a parameter without a value', 'esdb://h?tls', /no value for tls/],
    ['no boolean', 'esdb://h?tls=secret', /tls as true or false/],
    ['no number', 'esdb://h?gossipTimeout=secret', /gossipTimeout as a positive/],
    ['a node preference nobody knows', 'esdb://h?nodePreference=secret', /nodePreference/],
    ['half of a certificate', 'esdb://h?userCertFile=secret', /together/],
  ])('is refused with %s, without being shown', (_, text, expected) => {
    const fault = faultOf(text);
    expect(fault).toMatch(expected);
    expect(fault).not.toContain('secret');
  });
});
