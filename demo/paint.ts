import type { Painter } from './story/story-runner.js';

/** Colours on a terminal that wants them (https://no-color.org), plain text elsewhere. */
export function painter(): Painter {
  const isWanted = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const style = (code: number) => (text: string) => (isWanted ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: style(1), dim: style(2), green: style(32), red: style(31) };
}
