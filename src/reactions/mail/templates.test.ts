import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entitlement } from '../../policy/entitlement.js';
import { MAIL_KINDS, mailOf } from './mail-kinds.js';
import { fillIn, InvalidTemplatesError, readTemplates } from './templates.js';

const FIELDS = { plan: '<b>plus & "more"</b>', before: 'free', date: '2026-12-01', userId: "o'n\r\nBcc: x" };

describe('Mail templates', () => {
  it('are shipped of every kind, in text and HTML', () => {
    const templates = readTemplates(null);
    for (const kind of MAIL_KINDS) {
      const { subject, text, html } = fillIn(templates[kind], FIELDS);
      expect(subject).not.toBe('');
      expect(text).not.toMatch(/[{}]|Subject:/);
      expect(html).toMatch(/^<!doctype html>/);
      expect(html).not.toMatch(/[{}]|<b>/);
    }
    expect(fillIn(templates.upgrade, FIELDS).html).toContain(
      '&lt;b&gt;plus &amp; &quot;more&quot;&lt;/b&gt;',
    );
  });

  it('put values in as text, once, and no line end into a subject', () => {
    const template = { subject: 'For {{userId}}', text: '{{ plan }} {{date}}', html: '<i>{{userId}}</i>' };
    expect(fillIn(template, { ...FIELDS, plan: '{{date}}' })).toEqual({
      subject: "For o'n Bcc: x",
      text: '{{date}} 2026-12-01',
      html: '<i>o&#39;n\r\nBcc: x</i>',
    });
  });

  it('of a folder are refused with every fault at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'templates-'));
    try {
      for (const kind of MAIL_KINDS) {
        await writeFile(join(folder, `${kind}.txt`), 'Subject: x\n\ny');
        await writeFile(join(folder, `${kind}.html`), '<p>y</p>');
      }
      expect(readTemplates(folder).ended).toEqual({ subject: 'x', text: 'y', html: '<p>y</p>' });
      await writeFile(join(folder, 'ended.txt'), 'no subject {{email}}');
      await rm(join(folder, 'upgrade.html'));
      const faults = (() => {
        try {
          return readTemplates(folder);
        } catch (error) {
          return error;
        }
      })();
      expect(faults).toBeInstanceOf(InvalidTemplatesError);
      expect(faults).toHaveProperty('lines.length', 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const FREE: Entitlement = {
  role: 'free',
  plan: 'free',
  status: 'none',
  features: [],
  limits: {},
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
};
const PLUS: Entitlement = {
  ...FREE,
  plan: 'plus',
  source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
};
const ENDING = { ...PLUS, cancelAt: '2026-12-01T00:00:00.000Z' };
const RANKS: Readonly<Record<string, number>> = { free: 0, plus: 1, pro: 2, same: 2 };

describe('A change', () => {
  it.each<[string, Entitlement, Entitlement, string | null]>([
    ['to a higher plan is an upgrade', PLUS, { ...PLUS, plan: 'pro' }, 'upgrade'],
    ['to the first plan too', FREE, PLUS, 'upgrade'],
    ['to a lower plan is a downgrade', { ...PLUS, plan: 'pro' }, PLUS, 'downgrade'],
    ['to one of equal rank is neither', { ...PLUS, plan: 'pro' }, { ...PLUS, plan: 'same' }, null],
    ['to one that is sold no more is neither', PLUS, { ...PLUS, plan: 'gone' }, null],
    ['that sets an end is a cancellation', PLUS, ENDING, 'cancellation'],
    ['that ends at once has ended', PLUS, FREE, 'ended'],
    ['that ends as was said was told before', ENDING, FREE, null],
    ['of anything else is none', PLUS, { ...PLUS, expiresAt: '2027-01-01T00:00:00.000Z' }, null],
  ])('%s', (_, before, after, expected) => {
    expect(mailOf(before, after, (plan) => RANKS[plan] ?? null)).toBe(expected);
  });
});
