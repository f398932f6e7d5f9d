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
  const fields = { plan: 'plus', before: 'free', date: '', userId: 'ann' };
  const work = {
    id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
    seq: '1',
    lane: 'ann',
    group: 'mail',
    payload: { kind: 'trial_ending', customer: 'cus_1', happenedAt: 0, fields },
    attempts: 0,
    replayed: false,
    createdAt: new Date(0),
  };
  await expect(reaction.perform(work, stop.signal)).rejects.toThrow('stopped');
});
