const NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML has it, also between the quotes of an attribute. */
export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => NAMES[character] ?? character);
}

/** HTML or SVG; only `html` makes it, so no text is taken for it. */
export class Markup {
  private constructor(readonly text: string) {}

  /** Used by `html`: what is between the values is markup, and a value is text unless it is markup itself. */
  static of(parts: readonly string[], values: readonly Written[]): Markup {
    const written = values.map(write);
    return new Markup(parts.map((part, n) => part + (written[n] ?? '')).join(''));
  }
}

/** What may stand in a template of markup. */
export type Written = string | number | Markup | readonly Written[];

function write(value: Written): string {
  if (value instanceof Markup) return value.text;
  return typeof value === 'object' ? value.map(write).join('') : escapeHtml(String(value));
}

/** A template of HTML or SVG, in which every text is escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly Written[]): Markup {
  return Markup.of(parts, values);
}
