import { type Command, InvalidArgumentError } from 'commander';
import { isUserId } from '../events/user-id.js';
import { operator, type Terminal } from './terminal.js';

/** Who asks for something that is kept, and why. */
export interface Reason {
  readonly actor: string;
  readonly reason: string;
}

/** `--json` of a command that has it. */
export interface JsonOption {
  readonly json?: true;
}

/** Whoever changes what is served says who and why. */
export function asking(command: Command, terminal: Terminal): Command {
  return command
    .requiredOption('--reason <text>', 'why: kept with what is done, so no personal data', reasonOf)
    .option('--actor <name>', 'who', operator(terminal));
}

/** A whole number from 1 on. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(text);
}

/** Values of an option that may be repeated, each time with one. */
export function gathered(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** A position of the log, as `status` and the health check show it. @throws InvalidArgumentError */
export function positionOf(text: string): string {
  if (!/^(?:0|[1-9]\d{0,18})$/.test(text)) throw new InvalidArgumentError('It is a position of the log.');
  return text;
}

/** Who is named in what is recorded. @throws InvalidArgumentError */
export function actorOf(text: string): string {
  if (!isUserId(text)) {
    throw new InvalidArgumentError('A name has 1 to 255 characters and no control characters.');
  }
  return text;
}

/** The id of a user. @throws InvalidArgumentError */
export function userOf(text: string): string {
  if (!isUserId(text)) {
    throw new InvalidArgumentError('A user id has 1 to 255 characters and no control characters.');
  }
  return text;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** A time of RFC 3339, in Unix milliseconds; `Date.parse` alone takes 31 November for 1 December. @throws InvalidArgumentError */
export function timeOf(text: string): number {
  const [, year, month, day] = TIME.exec(text) ?? [];
  const isOfCalendar = Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const ms = isOfCalendar ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('It is a time of RFC 3339, such as 2026-11-01T09:30:02Z.');
  }
  return ms;
}

/** How many things to list. @throws InvalidArgumentError */
export function countOf(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 to 9999999.');
  return Number(text);
}

function reasonOf(text: string): string {
  if (!/^(?=.*\S)[^\p{Cc}\p{Surrogate}]{1,500}$/u.test(text)) {
    throw new InvalidArgumentError('It has 1 to 500 characters, no control characters, and is not blank.');
  }
  return text;
}
