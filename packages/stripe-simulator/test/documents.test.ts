import { readFileSync } from 'node:fs';
import { HELP, OPTIONS } from '../src/command-line.js';
import { controlRouter } from '../src/control.js';
import { Simulator } from '../src/index.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('What is written of the Stripe simulator', () => {
  it('names every control in the README, and no other', async () => {
    const simulator = await Simulator.start();
    const paths = controlRouter(simulator).patterns.map(
      (route) => route.replace(/:(\w+)/g, '{$1}').split(' ')[1],
    );
    await simulator.close();
    const told = [...README.matchAll(/`(?:GET|POST) (\/_simulator\/[^`]+)`/g)].map(([, path]) => path);
    expect([...new Set(told)].sort()).toEqual([...new Set(paths)].sort());
  });

  it('names every option of the program, with its default, in its help', () => {
    const told = [...HELP.matchAll(/^ {2}--(\w+)/gm)].map(([, name]) => name);
    expect(told).toEqual(Object.keys(OPTIONS));
    for (const [name, option] of Object.entries(OPTIONS)) {
      if ('default' in option && typeof option.default === 'string' && name !== 'help') {
        expect(HELP).toMatch(new RegExp(`--${name} .*\\(${option.default.replaceAll('.', '\\.')}\\)`));
      }
    }
  });
});
