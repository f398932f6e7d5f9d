import { Command, InvalidArgumentError, Option } from 'commander';
import { BULK_SOURCES, MESSAGE_TYPE_NAMES } from '../reactions/webhooks/message-types.js';
import type { JsonOption } from './arguments.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';
import type { AddOptions } from './webhooks.actions.js';

const SEALS = `
Needs TENURE_ADMIN_KEY as the service has it, which seals the secret; WEBHOOKS_ALLOW_PRIVATE counts as there.`;
const UNKNOWN = '\nExits with 1 when there is no such endpoint.';

/** `tenure webhooks …`: endpoints of outgoing webhooks, on the database of the service, whether it runs or not. */
export function webhooksCommand(terminal: Terminal): Command {
  const webhooks = new Command('webhooks').description('Endpoints of outgoing webhooks.');
  const actions = () => import('./webhooks.actions.js');

  webhooks
    .command('list')
    .description('Lists all endpoints, oldest first.')
    .option('--json', 'print {endpoints} as JSON, as the API does')
    .action(async (options: JsonOption) => (await actions()).listWebhooks(terminal, options));

  webhooks
    .command('add')
    .description('Makes an endpoint, which is sent what happens from now on, and shows its secret once.')
    .argument('<url>', 'https, of the public internet', urlOf)
    .addOption(
      new Option('-t, --type <type...>', 'which messages; left out: all, also types that come later').choices(
        MESSAGE_TYPE_NAMES,
      ),
    )
    .addOption(
      new Option('--bulk <source...>', 'what is sent besides, of what is brought in bulk').choices(
        BULK_SOURCES,
      ),
    )
    .option('-d, --description <text>', 'for people, up to 200 characters', descriptionOf, '')
    .option('--json', 'print the endpoint and its secret as JSON, as the API does')
    .addHelpText('after', SEALS)
    .action(async (url: string, options: AddOptions) => (await actions()).addWebhook(terminal, url, options));

  webhooks
    .command('remove')
    .description('Removes an endpoint, with the messages that wait for it.')
    .argument('<id>', 'the id that add and list show, whe_…')
    .option('--json', 'print {id, removed} as JSON')
    .addHelpText('after', UNKNOWN)
    .action(async (id: string, options: JsonOption) =>
      (await actions()).removeWebhook(terminal, id, options),
    );

  webhooks
    .command('rotate')
    .description('Gives an endpoint a new secret and shows it once; that of before signs beside it for 24 h.')
    .argument('<id>', 'the id that add and list show, whe_…')
    .option('--json', 'print the endpoint and its secret as JSON, as the API does')
    .addHelpText('after', SEALS)
    .addHelpText('after', UNKNOWN)
    .action(async (id: string, options: JsonOption) =>
      (await actions()).rotateWebhook(terminal, id, options),
    );

  webhooks
    .command('test')
    .description('Sends an endpoint a message of the type webhook.test, once and now, from this machine.')
    .argument('<id>', 'the id that add and list show, whe_…')
    .option('--json', 'print {id, delivered, answered, failure, milliseconds} as JSON, as the API does')
    .addHelpText('after', SEALS)
    .addHelpText('after', '\nExits with 1 when it did not arrive, or there is no such endpoint.')
    .action(async (id: string, options: JsonOption) => (await actions()).testWebhook(terminal, id, options));
  return allTalkTo(webhooks, 'database');
}

function urlOf(text: string): string {
  if (text.length > 2_000 || !URL.canParse(text)) throw new InvalidArgumentError('It is an absolute URL.');
  return text;
}

function descriptionOf(text: string): string {
  if (text.length > 200) throw new InvalidArgumentError('It has up to 200 characters.');
  return text;
}
