import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { escapeHtml } from '../../http/markup.js';
import { NamedError } from '../../observability/named-error.js';
import { MAIL_FIELDS, type MailFields, type MailKind } from './mail-kinds.js';

/** A mail ready to be sent. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Template {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type MailTemplates = Readonly<Record<MailKind, Template>>;

/** Templates cannot be used; `lines` name every fault. */
export class InvalidTemplatesError extends NamedError {
  readonly code = 'invalid_mail_templates';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g;
const SUBJECT = /^Subject: (.+)\r?\n\r?\n/;
const SHIPPED = 'mail-templates';

/**
 * Reads the templates of a folder, `null`: those that are shipped. Of each kind there is `{kind}.txt`, which begins with a
 * line `Subject: …` and an empty one, and `{kind}.html`. `{{plan}}` and the other fields stand for their values.
 * @throws InvalidTemplatesError
 */
export function readTemplates(folder: string | null): MailTemplates {
  const place = folder ?? shippedAbove(new URL('.', import.meta.url));
  const faults: string[] = [];
  const read = (file: string): string => {
    const path = join(place, file);
    const content = existsSync(path) ? readFileSync(path, 'utf8') : null;
    if (content === null) faults.push(`${path} is missing`);
    for (const [, field = ''] of (content ?? '').matchAll(PLACE)) {
      if (!isField(field)) faults.push(`${path} names {{${field}}}: there are ${MAIL_FIELDS.join(', ')}`);
    }
    return content ?? '';
  };
  const templateOf = (kind: MailKind): Template => {
    const text = read(`${kind}.txt`);
    const subject = SUBJECT.exec(text)?.[1];
    if (subject === undefined && text !== '') {
      faults.push(`${join(place, `${kind}.txt`)} must begin with "Subject: …" and an empty line`);
    }
    return { subject: subject ?? '', text: text.replace(SUBJECT, ''), html: read(`${kind}.html`) };
  };
  const templates: MailTemplates = {
    upgrade: templateOf('upgrade'),
    downgrade: templateOf('downgrade'),
    cancellation: templateOf('cancellation'),
    ended: templateOf('ended'),
    payment_failed: templateOf('payment_failed'),
    trial_ending: templateOf('trial_ending'),
  };
  if (faults.length > 0) throw new InvalidTemplatesError(faults);
  return templates;
}

/** Fills a template in. In HTML a value is text, whatever it holds; a subject is one line. */
export function fillIn({ subject, text, html }: Template, fields: MailFields): MailText {
  const put = (template: string, as: (value: string) => string): string =>
    template.replace(PLACE, (place, field: string) => (isField(field) ? as(fields[field]) : place));
  return {
    subject: put(subject, (value) => value.replace(/[\r\n]+/g, ' ')),
    text: put(text, (value) => value),
    html: put(html, escapeHtml),
  };
}

function isField(name: string): name is keyof MailFields {
  return (MAIL_FIELDS as readonly string[]).includes(name);
}

/** The nearest folder of that name above a place: the sources lie deeper than what is built from them. */
function shippedAbove(place: URL): string {
  const found = fileURLToPath(new URL(SHIPPED, place));
  const above = new URL('..', place);
  return existsSync(found) || above.href === place.href ? found : shippedAbove(above);
}
