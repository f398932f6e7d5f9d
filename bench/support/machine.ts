import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const packageSchema = z.looseObject({ version: z.string() });
const MEASURED = [
  '@supabase/stripe-sync-engine',
  '@eventstore/db-client',
  '@nestjs/platform-express',
  'express',
  'pg',
  'stripe',
];

/** What the figures were taken on. */
export function machine(): Readonly<Record<string, string | number>> {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
  };
}

/** Versions of what takes part, and the commit of this clone (`+` when there are changes to it). */
export function versions(): Readonly<Record<string, string>> {
  return { tenure: commit(), ...Object.fromEntries(MEASURED.map((name) => [name, versionOf(name)])) };
}

function versionOf(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return packageSchema.parse(JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8'))).version;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return 'not installed';
}

function commit(): string {
  const git = (...words: string[]): string =>
    execFileSync('git', words, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8',
    }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return 'not a git clone';
  }
}
