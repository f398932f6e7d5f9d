#!/usr/bin/env node
import { runCli } from './cli/program.js';
import { OutputClosedError } from './cli/terminal.js';
import { limitHeapGrowth } from './start/heap-growth.js';

// Commands that fold the log keep as much in memory as a service does.
limitHeapGrowth();

const { stderr, stdout } = process;
const width = stderr.isTTY && process.env.TERM !== 'dumb' ? { width: stderr.columns } : {};

const isPlain = process.env.NO_COLOR !== undefined || process.env.TERM === 'dumb';
const colours = stdout.isTTY && !isPlain ? ({ colours: true } as const) : {};

/** Whether whoever reads standard output has gone, as `head` does. */
let isClosed = false;
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === stdout) isClosed = true;
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  out: (text) => {
    if (isClosed) throw new OutputClosedError();
    stdout.write(text);
  },
  err: (text) => stderr.write(text),
  ...width,
  ...colours,
});
