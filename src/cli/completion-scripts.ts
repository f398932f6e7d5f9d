import type { CommandNode, OptionWords } from './command-tree.js';

/**
 * Scripts that complete `tenure`. Each walks the words before the cursor to the command they name (`at`, a path such as
 * `/keys/create`) and offers what may follow: commands, options, or the values of the option before the cursor. Where
 * nothing is known, such as for a plan file, files are offered.
 */
export function bashCompletion(tree: readonly CommandNode[]): string {
  return `# Completes tenure in bash: source <(tenure completion bash)
_tenure() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' word='' offered=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${pathsOf(tree)}) at="$at/$word" ;;
    esac
  done
  case "$at $prev" in
${valueCases(tree, (option) => `offered=${single(option.values.join(' '))}`)}
    *)
      case "$at" in
${tree.map((node) => `        ${single(node.path)}) offered=${single(allWords(node).join(' '))} ;;`).join('\n')}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$offered" -- "$cur"))
}
complete -o default -F _tenure tenure
`;
}

/** See `bashCompletion`. */
export function zshCompletion(tree: readonly CommandNode[]): string {
  return `#compdef tenure
# Completes tenure in zsh: source <(tenure completion zsh)
_tenure() {
  local at='' word=''
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at/$word" in
      ${pathsOf(tree)}) at="$at/$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${valueCases(tree, (option) => (option.values.length === 0 ? '_files; return' : `offered=(${option.values.map(single).join(' ')})`))}
    *)
      case "$at" in
${tree.map((node) => `        ${single(node.path)}) offered=(${described(node).join(' ')}) ;;`).join('\n')}
      esac
      _describe -t tenure tenure offered || _files
      return
      ;;
  esac
  compadd -a offered
}
compdef _tenure tenure
`;
}

/** See `bashCompletion`. */
export function fishCompletion(tree: readonly CommandNode[]): string {
  return `# Completes tenure in fish: tenure completion fish > ~/.config/fish/completions/tenure.fish
function __tenure_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at/$word"
            case ${tree.flatMap(({ path }) => (path === '' ? [] : [fishQuoted(path)])).join(' ')}
                set at "$at/$word"
        end
    end
    test "$at" = "$argv[1]"
end
${tree.flatMap(fishLines).join('\n')}
`;
}

/** Patterns of every path but the program's own. */
function pathsOf(tree: readonly CommandNode[]): string {
  return tree.flatMap(({ path }) => (path === '' ? [] : [path])).join('|');
}

function allWords({ commands, options, values }: CommandNode): readonly string[] {
  return [...commands.map(({ word }) => word), ...values, ...options.flatMap(({ words }) => words)];
}

/** Cases of a command with an option before the cursor that takes a value. */
function valueCases(tree: readonly CommandNode[], then: (option: OptionWords) => string): string {
  return tree
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map((option) => {
          const patterns = option.words.map((word) => single(`${path} ${word}`)).join('|');
          return `    ${patterns}) ${then(option)} ;;`;
        }),
    )
    .join('\n');
}

/** `word:what it is for` of everything that can follow, for `_describe`. */
function described({ commands, options, values }: CommandNode): readonly string[] {
  const escaped = (word: string): string => word.replaceAll(':', '\\:');
  return [
    ...commands.map(({ word, description }) => single(`${escaped(word)}:${description}`)),
    ...values.map((value) => single(escaped(value))),
    ...options.flatMap(({ words, description }) =>
      words.map((word) => single(`${escaped(word)}:${description}`)),
    ),
  ];
}

function fishLines({ path, commands, options, values }: CommandNode): readonly string[] {
  const here = `complete -c tenure -n ${fishQuoted(`__tenure_at ${fishQuoted(path)}`)}`;
  return [
    ...commands.map(({ word, description }) => `${here} -f -a ${word} -d ${fishQuoted(description)}`),
    ...(values.length === 0 ? [] : [`${here} -f -a ${fishQuoted(values.join(' '))}`]),
    ...options.map(({ words, description, takesValue, values: taken }) => {
      const names = words.map((word) =>
        word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`,
      );
      const value = taken.length > 0 ? ` -x -a ${fishQuoted(taken.join(' '))}` : takesValue ? ' -r' : '';
      return `${here} ${names.join(' ')}${value} -d ${fishQuoted(description)}`;
    }),
  ];
}

/** A word in single quotes of POSIX shells. */
function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A word in single quotes of fish. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
