import { Argument, Command } from 'commander';
import { commandTree } from './command-tree.js';
import { bashCompletion, fishCompletion, zshCompletion } from './completion-scripts.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

const HELP = `
  bash  echo 'source <(tenure completion bash)' >> ~/.bashrc
  zsh   echo 'source <(tenure completion zsh)' >> ~/.zshrc      (after compinit)
  fish  tenure completion fish > ~/.config/fish/completions/tenure.fish`;

/** `tenure completion …`: made from the commands as they are, so it knows them all. */
export function completionCommand(terminal: Terminal): Command {
  const completion = new Command('completion')
    .description('Prints what makes a shell complete commands and options of tenure.')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof SCRIPTS) => {
      terminal.out(SCRIPTS[shell](commandTree(completion.parent ?? completion)));
    });
  return talksTo(completion, 'nothing');
}
