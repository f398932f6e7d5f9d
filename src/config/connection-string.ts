import { readFileSync } from 'node:fs';
import { NamedError } from '../observability/named-error.js';

/** The connection string or a file it names cannot be used. The message never holds the string: it has a password. */
export class InvalidConnectionStringError extends NamedError {
  readonly code = 'invalid_connection_string';
}

/** A node's address, as the client wants it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type NodePreference = 'leader' | 'follower' | 'read_only_replica' | 'random';

/** What a connection string says. Times are milliseconds, except `gossipTimeout`, which the client takes in seconds. */
export interface ConnectionSettings {
  /** One node as it is, or those of a cluster (or a DNS name of them) that are asked for its members. */
  readonly nodes:
    | { readonly kind: 'single'; readonly endpoint: Endpoint }
    | { readonly kind: 'cluster'; readonly endpoints: readonly Endpoint[] };
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly tls: boolean;
  readonly tlsVerifyCert: boolean;
  readonly tlsCaFile: string | null;
  readonly userCertificate: { readonly certFile: string; readonly keyFile: string } | null;
  readonly keepAliveInterval: number;
  readonly keepAliveTimeout: number;
  readonly defaultDeadline: number | null;
  readonly connectionName: string;
  /** Only what was given, so that the client's own defaults hold. */
  readonly discovery: {
    readonly nodePreference?: NodePreference;
    readonly maxDiscoverAttempts?: number;
    readonly discoveryInterval?: number;
    readonly gossipTimeout?: number;
  };
}

/** KurrentDB is EventStoreDB's later name; its servers speak the same protocol. */
const FORM =
  /^(?<scheme>esdb|kurrentdb)(?<discover>\+discover)?:\/\/(?<authority>[^/?]*)\/?(?:\?(?<query>.*))?$/;
const HOST = /^(?<address>[A-Za-z0-9._-]+)(?::(?<port>\d{1,5}))?$/;
const DEFAULT_PORT = 2113;
/** The client warns below 10 s; a dead connection is found after interval and time-out together. */
const KEEP_ALIVE_INTERVAL_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;

/** Names of the parameters, which the ecosystem writes in any case and with `-` or `_` in between. */
const PARAMETERS = [
  'tls',
  'tlsVerifyCert',
  'tlsCAFile',
  'userCertFile',
  'userKeyFile',
  'connectionName',
  'nodePreference',
  'maxDiscoverAttempts',
  'discoveryInterval',
  'gossipTimeout',
  'keepAliveInterval',
  'keepAliveTimeout',
  'defaultDeadline',
  'throwOnAppendFailure',
] as const;
type Parameter = (typeof PARAMETERS)[number];
const PARAMETER_OF = new Map<string, Parameter>(PARAMETERS.map((name) => [flat(name), name]));

const PREFERENCES = new Map<string, NodePreference>([
  ['leader', 'leader'],
  ['follower', 'follower'],
  ['readonlyreplica', 'read_only_replica'],
  ['random', 'random'],
]);

/**
 * Reads a connection string (EventStoreDB documentation, "Connection string"): `esdb://user:password@host:2113?tls=true`,
 * several hosts with commas, `esdb+discover://` for a DNS name. Reserved characters of user and password are
 * percent-encoded.
 * @throws InvalidConnectionStringError saying what part is wrong
 */
export function parseConnectionString(text: string): ConnectionSettings {
  const { authority, discover, query } = FORM.exec(text.trim())?.groups ?? {};
  if (authority === undefined) {
    throw invalid('must be esdb://host:port, esdb+discover://name or kurrentdb://…');
  }
  const at = authority.lastIndexOf('@');
  const endpoints = authority
    .slice(at + 1)
    .split(',')
    .map(endpointOf);
  const [first, ...rest] = endpoints;
  if (first === undefined) throw invalid('names no host');
  const given = parametersOf(query ?? '');
  const certFile = given.get('userCertFile');
  const keyFile = given.get('userKeyFile');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid('must give userCertFile and userKeyFile together');
  }
  const preference = given.get('nodePreference');
  const nodePreference = preference === undefined ? undefined : PREFERENCES.get(flat(preference));
  if (preference !== undefined && nodePreference === undefined) {
    throw invalid('has a nodePreference that is none of leader, follower, readOnlyReplica, random');
  }
  booleanOf(given, 'throwOnAppendFailure', true); // understood, and of no effect: answers are looked at one by one
  return {
    nodes:
      discover === undefined && rest.length === 0
        ? { kind: 'single', endpoint: first }
        : { kind: 'cluster', endpoints },
    credentials: at < 0 ? null : credentialsOf(authority.slice(0, at)),
    tls: booleanOf(given, 'tls', true),
    tlsVerifyCert: booleanOf(given, 'tlsVerifyCert', true),
    tlsCaFile: given.get('tlsCAFile') ?? null,
    userCertificate: certFile === undefined || keyFile === undefined ? null : { certFile, keyFile },
    keepAliveInterval: integerOf(given, 'keepAliveInterval') ?? KEEP_ALIVE_INTERVAL_MS,
    keepAliveTimeout: integerOf(given, 'keepAliveTimeout') ?? KEEP_ALIVE_TIMEOUT_MS,
    defaultDeadline: integerOf(given, 'defaultDeadline') ?? null,
    connectionName: given.get('connectionName') ?? 'tenure',
    discovery: {
      ...(nodePreference === undefined ? {} : { nodePreference }),
      ...optionalInteger(given, 'maxDiscoverAttempts'),
      ...optionalInteger(given, 'discoveryInterval'),
      ...optionalInteger(given, 'gossipTimeout'),
    },
  };
}

/** The bytes of a certificate or key file; relative paths start at the working directory. */
export function readTlsFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InvalidConnectionStringError(`EVENTSTORE_URL names the file ${path}, which cannot be read`, {
      cause,
    });
  }
}

function invalid(what: string): InvalidConnectionStringError {
  return new InvalidConnectionStringError(what);
}

function flat(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

function endpointOf(host: string): Endpoint {
  const { address, port } = HOST.exec(host.trim())?.groups ?? {};
  const number = Number(port ?? DEFAULT_PORT);
  if (address === undefined || number < 1 || number > 65_535) {
    throw invalid(
      'must name hosts as name:port, comma-separated (percent-encode what is special in the password)',
    );
  }
  return { address, port: number };
}

function credentialsOf(text: string): { username: string; password: string } {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) throw invalid('must give user and password as user:password@');
  return { username: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new InvalidConnectionStringError('has a % that begins no percent-encoded character', { cause });
  }
}

function parametersOf(query: string): Map<Parameter, string> {
  const given = new Map<Parameter, string>();
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [key = '', ...value] = pair.split('=');
    const name = PARAMETER_OF.get(flat(key));
    // The key may be the end of a password that held an unencoded `?`: it is not repeated.
    if (name === undefined) throw invalid(`has a parameter that is none of ${PARAMETERS.join(', ')}`);
    if (value.length === 0 || value[0] === '') throw invalid(`has no value for ${name}`);
    given.set(name, decoded(value.join('=')).trim());
  }
  return given;
}

function booleanOf(given: Map<Parameter, string>, name: Parameter, otherwise: boolean): boolean {
  const value = given.get(name);
  if (value === undefined) return otherwise;
  if (value !== 'true' && value !== 'false') throw invalid(`must give ${name} as true or false`);
  return value === 'true';
}

/** A positive integer, or −1 where the client takes it for "never". */
function integerOf(given: Map<Parameter, string>, name: Parameter): number | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  const mayBeOff = name === 'keepAliveInterval' || name === 'keepAliveTimeout';
  if (!/^[1-9]\d{0,8}$/.test(value) && !(mayBeOff && value === '-1')) {
    throw invalid(`must give ${name} as a positive whole number`);
  }
  return Number(value);
}

function optionalInteger<Name extends Parameter>(
  given: Map<Parameter, string>,
  name: Name,
): { readonly [K in Name]?: number } {
  const value = integerOf(given, name);
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]: number });
}
