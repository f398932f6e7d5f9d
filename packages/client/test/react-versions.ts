import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as React from 'react';
import type * as ReactDomClient from 'react-dom/client';
import type * as ReactDomServer from 'react-dom/server';
import { rolldown } from 'rolldown';
import type * as TenureReact from '../src/react/index.js';

/** One version of React, and the package's React part built on it. */
export interface LoadedReact {
  readonly react: typeof React;
  readonly client: typeof ReactDomClient;
  readonly server: typeof ReactDomServer;
  readonly tenure: typeof TenureReact;
}

/** Loads React as a package that depends on it finds it. The document must be there already. */
export async function loadReact(fromPackage: string): Promise<LoadedReact> {
  const require = createRequire(new URL(`../../${fromPackage}/package.json`, import.meta.url));
  return {
    react: require('react'),
    client: require('react-dom/client'),
    server: require('react-dom/server'),
    tenure: await builtWith(require),
  };
}

async function builtWith(require: NodeJS.Require): Promise<typeof TenureReact> {
  const input = fileURLToPath(new URL('../src/react/index.ts', import.meta.url));
  const build = await rolldown({
    input,
    external: ['react'],
    onLog: (level, log, tell) => {
      if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log);
    },
  });
  const { output } = await build.generate({ format: 'cjs' });
  await build.close();
  const module = { exports: {} };
  new Function('require', 'module', 'exports', output[0].code)(require, module, module.exports);
  return module.exports as typeof TenureReact;
}
