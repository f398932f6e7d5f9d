import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type createClient from 'openapi-fetch';
import ts from 'typescript';

/** What an application would write that calls the service by generated types. */
const APPLICATION = `
import type createClient from 'openapi-fetch';
import type { paths } from './generated-schema.js';

export async function use(create: typeof createClient, baseUrl: string, key: string) {
  const client = create<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } });
  const path = { userId: 'paying' };
  const snapshot = await client.GET('/v1/users/{userId}/entitlements', { params: { path } });
  const feature = await client.GET('/v1/users/{userId}/features/{key}', {
    params: { path: { ...path, key: 'export' } },
  });
  const token = await client.POST('/v1/users/{userId}/token', { params: { path } });
  const introspection = await client.POST('/v1/introspect', {
    body: { token: 'x' },
    bodySerializer: (body) => new URLSearchParams({ token: body.token }),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const flags = await client.POST('/ofrep/v1/evaluate/flags', {
    body: { context: { targetingKey: 'paying' } },
  });
  const evaluation = await client.POST('/access/v1/evaluation', {
    body: {
      subject: { type: 'user', id: 'paying' },
      action: { name: 'use' },
      resource: { type: 'feature', id: 'export' },
    },
  });
  const missing = await client.GET('/v1/checkout/sessions/{sessionId}', { params: { path: { sessionId: 'cs_1' } } });
  return {
    plan: snapshot.data?.plan,
    allowed: feature.data?.allowed,
    hasToken: (token.data?.token ?? '').length > 100,
    active: introspection.data?.active,
    exported: flags.data?.flags.find((flag) => flag.key === 'export')?.value,
    decision: evaluation.data?.decision,
    missing: missing.error?.code,
  };
}
`;

interface Application {
  use(create: typeof createClient, baseUrl: string, key: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Compiles an application against generated types, strictly, and loads it. Throws what the compiler says against it. */
export async function compiledClient(types: string): Promise<Application> {
  const folder = dirname(fileURLToPath(import.meta.url));
  const main = join(folder, 'generated-application.ts');
  const files = new Map([
    [main, APPLICATION],
    [join(folder, 'generated-schema.ts'), types],
  ]);
  const options: ts.CompilerOptions = {
    strict: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  };
  const disk = ts.createCompilerHost(options);
  let emitted = '';
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    getSourceFile: (name, ...rest) => {
      const text = files.get(name);
      return text === undefined
        ? disk.getSourceFile(name, ...rest)
        : ts.createSourceFile(name, text, options.target ?? 0);
    },
    writeFile: (name, text) => {
      if (name.endsWith('generated-application.js')) emitted = text;
    },
  };
  const program = ts.createProgram([main], options, host);
  const faults = ts.getPreEmitDiagnostics(program);
  if (faults.length > 0) throw new Error(ts.formatDiagnostics(faults, host));
  program.emit();
  return import(`data:text/javascript,${encodeURIComponent(emitted)}`);
}
