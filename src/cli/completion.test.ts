import { execFileSync } from 'node:child_process';
import { type CommandNode, commandTree } from './command-tree.js';
import { program, runCli } from './program.js';

const silent = { environment: {}, out: () => undefined, err: () => undefined };
const tree = commandTree(program({ ...silent, exitWith: () => undefined }));

async function script(shell: string): Promise<string> {
  let out = '';
  const code = await runCli(['completion', shell], {
    ...silent,
    out: (text) => {
      out += text;
    },
  });
  expect(code).toBe(0);
  return out;
}

/** What bash offers after these words, the last of which is not finished. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const program = `${await script('bash')}
    COMP_WORDS=(tenure "$@"); COMP_CWORD=$#; _tenure; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['--norc', '-c', program, 'bash', ...words], { encoding: 'utf8' });
  return out.split('\n').filter((line) => line !== '');
}

function wordsOf({ commands, options, values }: CommandNode): readonly string[] {
  return [...commands.map(({ word }) => word), ...values, ...options.flatMap(({ words }) => words)];
}

describe('tenure completion', () => {
  it('knows every command', () => {
    const paths = tree.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['', '/keys/create', '/projections/skip', '/plans/diff']));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each(tree)('offers in bash what can follow "tenure$path"', async (node) => {
    const words = node.path.split('/').slice(1);
    expect(await offered(...words, '')).toEqual(wordsOf(node));
  });

  it('offers in bash only what begins alike, values of options, and files where it knows nothing', async () => {
    expect(await offered('pro')).toEqual(['projections']);
    expect(await offered('projections', 're')).toEqual(['rebuild', 'resume']);
    expect(await offered('keys', 'create', '--scope', 'a')).toEqual(['audit']);
    expect(await offered('keys', 'create', '-s', 'o')).toEqual(['ops']);
    expect(await offered('completion', 'z')).toEqual(['zsh']);
    expect(await offered('projections', 'rebuild', '--reason', '')).toEqual([]);
    // A value that is spelt like a command is none.
    expect(await offered('keys', 'create', '--name', 'list', '--js')).toEqual(['--json']);
    expect(await script('bash')).toContain('complete -o default -F _tenure tenure');
  });

  it.each(['zsh', 'fish'])('names every command and option to %s', async (shell) => {
    const text = await script(shell);
    for (const { path, commands, options } of tree) {
      if (path !== '') expect(text).toContain(path);
      for (const { word } of commands) expect(text).toContain(word);
      for (const { words, description } of options) {
        for (const word of words) expect(text).toContain(shell === 'fish' ? word.replace(/^-+/, '') : word);
        expect(text).toContain(description.split("'")[0]);
      }
    }
  });

  it('refuses another shell', async () => {
    expect(await runCli(['completion', 'csh'], silent)).toBe(64);
  });
});

describe('the help of every command', () => {
  const leaves = tree.filter(({ commands }) => commands.length === 0).map(({ path }) => path);

  it.each(leaves)('of "tenure%s" says once what it talks to', async (path) => {
    let out = '';
    await runCli([...path.split('/').slice(1), '--help'], {
      ...silent,
      out: (text) => {
        out += text;
      },
    });
    expect(out.match(/^Talks to (nothing|Stripe|the database)/gm)).toHaveLength(1);
  });
});
