#!/usr/bin/env node
import 'reflect-metadata';
import { runCli } from './cli/program.js';

const { stderr, stdout } = process;
const width = stderr.isTTY && process.env.TERM !== 'dumb' ? { width: stderr.columns } : {};

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  ...width,
});
