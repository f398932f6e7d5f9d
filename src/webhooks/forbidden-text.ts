const SUSPECT = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * Whether a JSON text holds U+0000 or a lone surrogate in any string: neither can be kept and hashed byte for byte
 * (RFC 8785 refuses lone surrogates). Only a text with such an escape is looked at closely.
 */
export function hasForbiddenText(json: string, parsed: unknown): boolean {
  if (!SUSPECT.test(json)) return false;
  const open: unknown[] = [parsed];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') {
      if (value.includes('\0') || !value.isWellFormed()) return true;
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) open.push(key, inner);
    }
  }
  return false;
}
