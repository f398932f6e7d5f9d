import type { Command, Option } from 'commander';

/** A word that can follow, and what it is for. */
export interface Word {
  readonly word: string;
  readonly description: string;
}

/** An option: the words it goes by, and the values it takes where these are known. */
export interface OptionWords {
  readonly words: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** A command by its path, such as `/keys/create` (the program itself is ``), and what can follow it. */
export interface CommandNode {
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly OptionWords[];
  /** Values of its arguments where these are known. */
  readonly values: readonly string[];
}

/** Every command below `program`, itself first, as its help shows them. */
export function commandTree(program: Command, path = ''): readonly CommandNode[] {
  const help = program.createHelp();
  const below = help.visibleCommands(program).filter((command) => command.name() !== 'help');
  const node: CommandNode = {
    path,
    commands: below.map((command) => ({ word: command.name(), description: command.description() })),
    options: help.visibleOptions(program).map(wordsOf),
    values: program.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  return [node, ...below.flatMap((command) => commandTree(command, `${path}/${command.name()}`))];
}

function wordsOf({ long, short, description, required, optional, argChoices }: Option): OptionWords {
  return {
    words: [long, short].filter((word) => word != null),
    description,
    takesValue: required || optional,
    values: argChoices ?? [],
  };
}
