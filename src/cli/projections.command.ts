import { Command } from 'commander';
import { asking, type JsonOption, positionOf, wholeNumber } from './arguments.js';
import type { MoveOptions, RebuildOptions, RollBackOptions, VerifyOptions } from './projections.actions.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const actions = () => import('./projections.actions.js');

const HELP = `
Works straight on the database and the log; services may run meanwhile, and fold what is built. Where none does, rebuild,
swap and rollback fold it themselves while they run. Exits with 1 when what was asked is refused (the message says why),
and when verify found a difference.`;

const SKIP_HELP = `
The position is that of the first event that a stream has set aside, or at which the projection stands, as \`status\` and
/v1/ops/faults show it; another one is refused. Events after it go on to be folded, without it: what they say may need it. The skip is appended to the log, under your name, and stays. Code that can
fold the event folds it all the same: after a fix, rebuild, and what was skipped is there.`;

/** `tenure projections …`, thin over `Generations` and `Faults`: on the database of the service, whether it runs or not. */
export function projectionsCommand(terminal: Terminal): Command {
  const command = new Command('projections')
    .description('Rebuilds, compares, swaps, rolls back, verifies and heals the read models.')
    .addHelpText('after', HELP);
  addLooks(command, terminal);
  addMoves(command, terminal);
  addFaults(command, terminal);
  return allTalkTo(command, 'databaseAndLog');
}

function addLooks(command: Command, terminal: Terminal): void {
  command
    .command('list')
    .description('Shows every generation: which one is read, by what code it was made, how far it is.')
    .option('--json', 'one JSON document')
    .action(async (options: JsonOption) => (await actions()).listGenerations(terminal, options));

  command
    .command('status')
    .description('Shows the generations and the last ten swaps.')
    .option('--json', 'one JSON document')
    .action(async (options: JsonOption) => (await actions()).showStatus(terminal, options));

  command
    .command('verify')
    .description('Folds the log again and compares it with what is read; changes nothing.')
    .option('--users <count>', 'fold and compare what has to do with so many users, at random', wholeNumber)
    .option('--json', 'one JSON document')
    .action(async (options: VerifyOptions) => (await actions()).verifyReadModels(terminal, options));
}

function addMoves(command: Command, terminal: Terminal): void {
  const rebuild = command
    .command('rebuild')
    .description('Builds a generation beside the one that is read, compares it, and swaps it in.');
  asking(rebuild, terminal)
    .option('--dry-run', 'only compare, then drop the build')
    .option('--keep', 'only compare, and keep the build for `swap`')
    .option('--json', 'one JSON document')
    .action(async (options: RebuildOptions) => (await actions()).rebuild(terminal, options));

  const swap = command
    .command('swap')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Makes a kept build, or an earlier generation, the one that is read.');
  asking(swap, terminal)
    .option('--json', 'one JSON document')
    .action(async (generation: number, options: MoveOptions) =>
      (await actions()).swap(terminal, generation, options),
    );

  asking(command.command('rollback').description('Goes back to what the last swap replaced.'), terminal)
    .option('--dry-run', 'only compare')
    .option('--json', 'one JSON document')
    .action(async (options: RollBackOptions) => (await actions()).rollBack(terminal, options));

  command
    .command('drop')
    .argument('<generation>', 'its number', wholeNumber)
    .description('Removes a build, or a generation that is not read any more, once no earlier read uses it.')
    .option('--json', 'print {generation} as JSON')
    .action(async (generation: number, options: JsonOption) =>
      (await actions()).dropGeneration(terminal, generation, options),
    );
}

function addFaults(command: Command, terminal: Terminal): void {
  command
    .command('resume')
    .argument('[generation]', 'its number; left out: the one that is read', wholeNumber)
    .description('Has what is set aside, or stands, tried again: what was in the way was not the code.')
    .option('--json', 'print {generation, fault, streams, users} as JSON')
    .addHelpText(
      'after',
      '\nA new deploy tries by itself. What still fails is set aside again: `status` shows it.',
    )
    .action(async (generation: number | undefined, options: JsonOption) =>
      (await actions()).resume(terminal, generation, options),
    );

  const skip = command
    .command('skip')
    .argument('<position>', 'where a stream is set aside, or the projection stands', positionOf)
    .description('Lets the projection go past an event that it cannot fold; kept in the log.')
    .addHelpText('after', SKIP_HELP);
  asking(skip, terminal)
    .option('--json', 'print {outcome, position, skipped, reason} as JSON; outcome: skipped, skipped_before')
    .action(async (position: string, options: MoveOptions) =>
      (await actions()).skip(terminal, position, options),
    );
}
