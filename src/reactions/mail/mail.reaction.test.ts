import { MailServer } from '../../../test/support/mail-server.js';
import { MailReaction } from './mail.reaction.js';
import { Mailer } from './mailer.js';
import { readTemplates } from './templates.js';

it('A mail for which Stripe is being asked is given up at once by the signal of its try', async () => {
  const stop = new AbortController();
  const reaction = new MailReaction({
    mailing: { mailer: new Mailer('smtp://127.0.0.1:9', 'a@b.test'), templates: readTemplates(null) },
    gateway: { object: () => new Promise(() => stop.abort(new Error('stopped'))) },
    findJobs: async () => new Map(),
    now: () => 0,
    onOutcome: () => undefined,
  });
  await expect(reaction.perform(workFor('ann'), stop.signal)).rejects.toThrow('stopped');
});

it('A mail has the user id in place of its pseudonym, and none is sent about a user who was erased', async () => {
  const server = await MailServer.start();
  try {
    const outcomes: string[] = [];
    const text = 'of {{userId}}';
    const templates = { ...readTemplates(null), trial_ending: { subject: text, text, html: text } };
    const reaction = new MailReaction({
      mailing: {
        mailer: new Mailer(server.environment.SMTP_URL ?? '', 'a@b.test'),
        templates,
      },
      gateway: {
        object: async () => ({ outcome: 'answered', object: { email: 'c@d.test' } }) as never,
      },
      findJobs: async () => new Map(),
      pseudonyms: { userIdsOf: async () => new Map([['psn_1', 'ann']]) },
      now: () => 0,
      onOutcome: (_, outcome) => outcomes.push(outcome),
    });
    await reaction.perform(workFor('psn_1'), new AbortController().signal);
    await reaction.perform(workFor('psn_2'), new AbortController().signal);
    expect(outcomes).toEqual(['sent', 'erased']);
    expect(server.mails.map(({ text }) => [text.includes('of ann'), text.includes('psn_')])).toEqual([
      [true, false],
    ]);
  } finally {
    await server.close();
  }
});

/** The mail that a trial of a user ends. */
function workFor(userId: string) {
  const fields = { plan: 'plus', before: 'free', date: '', userId };
  return {
    id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
    seq: '1',
    lane: userId,
    group: 'mail',
    payload: { kind: 'trial_ending', customer: 'cus_1', happenedAt: 0, fields },
    attempts: 0,
    replayed: false,
    createdAt: new Date(0),
  };
}
