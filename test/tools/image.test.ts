import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
// @ts-expect-error a script, which has no types
import { lookUpAt, pinned } from '../../scripts/pin-digests.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const WORKFLOWS = '.github/workflows';
const dockerfile = read('Dockerfile');
const compose = read('docker-compose.yml');
const workflows = readdirSync(join(ROOT, WORKFLOWS)).map((file) => read(join(WORKFLOWS, file)));
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

describe('The image', () => {
  it('runs with the flags of `npm start`', () => {
    const command = z.array(z.string()).parse(JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? 'null'));
    expect(command.join(' ').replace('dist/main.js', 'scripts/start.mjs')).toBe(scripts.start);
  });

  it('is made with the Node that the project is developed on', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base?.replace(/@.*/, ''));
    expect(new Set(bases)).toEqual(new Set([`node:${read('.nvmrc').trim()}-bookworm-slim`]));
  });
});

describe('What Docker and the workflow fetch', () => {
  it.each([
    ['image', [dockerfile, compose, ...workflows], /^[ \t]*(?:FROM|image:)[ \t]+\S+?:(\S+)/gm],
    ['action', workflows, /uses:\s+\S+?@(.+)/g],
  ])('names every %s by an exact version', (_kind, texts, pattern) => {
    const versions = texts.flatMap((text) => [...text.matchAll(pattern)].map(([, version]) => version));
    expect(versions.length).toBeGreaterThan(3);
    expect(versions.filter((version) => !/\d+\.\d+(\.\d+)?/.test(version ?? ''))).toEqual([]);
  });

  it('is told no secret and no mode by Compose itself', () => {
    const { services } = z
      .object({
        services: z.record(
          z.string(),
          z.looseObject({ environment: z.record(z.string(), z.string()).optional() }),
        ),
      })
      .parse(parse(compose, { merge: true }));
    const given = Object.values(services).flatMap(({ environment }) => Object.entries(environment ?? {}));
    const secret = given.filter(([name]) => /SECRET|KEY|PASSWORD|LIVEMODE|^DATABASE_URL$/.test(name));
    expect(secret.map(([name]) => name).sort()).toEqual([
      'DATABASE_URL',
      'POSTGRES_PASSWORD',
      'STRIPE_LIVEMODE',
      'STRIPE_WEBHOOK_SECRET',
      'TENURE_ADMIN_KEY',
    ]);
    for (const [, value] of secret) expect(value).toMatch(/\$\{\w+:\?[^}]+\}/);
  });
});

describe('The script that pins digests', () => {
  const DIGEST = `sha256:${'a'.repeat(64)}`;
  const COMMIT = 'b'.repeat(40);
  let server: Server;
  let asked: string[];
  let lookUp: unknown;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url?.startsWith('/token')) response.end(JSON.stringify({ token: 't' }));
      else if (request.url?.startsWith('/repos')) response.end(COMMIT);
      else if (request.url?.endsWith('/gone') || request.headers.authorization !== 'Bearer t') {
        response.writeHead(404).end();
      } else response.setHeader('docker-content-digest', DIGEST).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    lookUp = lookUpAt({ tokens: url, registry: url, github: url });
    asked = [];
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('writes what it looked up beside the version, whether something was pinned before or not', async () => {
    const text = [
      `FROM node:1.2.3-slim AS build`,
      `FROM node:1.2.3-slim@sha256:${'0'.repeat(64)}`,
      '    image: eventstore/eventstore:4.5',
      '      - uses: actions/checkout@v6.0.2',
      `      - uses: actions/setup-node@${'0'.repeat(40)} # v6.4.0`,
    ].join('\n');
    expect(await pinned(text, lookUp)).toBe(
      [
        `FROM node:1.2.3-slim@${DIGEST} AS build`,
        `FROM node:1.2.3-slim@${DIGEST}`,
        `    image: eventstore/eventstore:4.5@${DIGEST}`,
        `      - uses: actions/checkout@${COMMIT} # v6.0.2`,
        `      - uses: actions/setup-node@${COMMIT} # v6.4.0`,
      ].join('\n'),
    );
    expect(asked).toEqual([
      '/token?service=registry.docker.io&scope=repository%3Alibrary%2Fnode%3Apull',
      '/v2/library/node/manifests/1.2.3-slim',
      '/token?service=registry.docker.io&scope=repository%3Aeventstore%2Feventstore%3Apull',
      '/v2/eventstore/eventstore/manifests/4.5',
      '/repos/actions/checkout/commits/v6.0.2',
      '/repos/actions/setup-node/commits/v6.4.0',
    ]);
  });

  it('finds every image and action of this repository', async () => {
    const none = { image: async () => DIGEST, action: async () => COMMIT };
    const whole = (
      await Promise.all([dockerfile, compose, ...workflows].map((text) => pinned(text, none)))
    ).join('\n');
    expect(whole).not.toMatch(/^[ \t]*(FROM|image:)[ \t]+(?!\S+@sha256:a{64})/m);
    expect(whole).not.toMatch(/uses: (?!\S+@b{40} # v)/);
  });

  it('writes nothing where it finds no digest', async () => {
    await expect(pinned('FROM node:gone', lookUp)).rejects.toThrow('answers 404');
  });
});
