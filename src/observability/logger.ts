import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './log-levels.js';
import { VERSION } from './version.js';

export type { Logger } from 'pino';

/** DI token of the process's logger. */
export const LOGGER = Symbol('LOGGER');

/** What is written of an error: enough to find the fault, nothing of the data it happened on. */
interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** The message of a driver or parser error may hold what it choked on, so it is kept short. */
const MESSAGE_LIMIT = 500;
const CAUSES_LIMIT = 4;

/**
 * Describes a thrown value by name, code, message and stack only. Own properties are left out on purpose: database
 * errors carry the parameters of the query, Stripe's carry the payload and the signature.
 */
export function describeError(error: unknown, causes = CAUSES_LIMIT): LoggedError {
  if (!(error instanceof Error)) return { name: 'NonError', message: String(error).slice(0, MESSAGE_LIMIT) };
  const code: unknown = Reflect.get(error, 'code');
  const frames = error.stack?.slice(error.stack.indexOf('\n    at ')).trim();
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message.slice(0, MESSAGE_LIMIT),
    ...(frames === undefined ? {} : { stack: frames }),
    ...(error.cause === undefined || causes === 0 ? {} : { cause: describeError(error.cause, causes - 1) }),
  };
}

/**
 * JSON lines, one object each. Whatever is logged under `err` goes through `describeError`; names that hold secrets
 * are censored wherever someone may come to log them.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'tenure', version: VERSION },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
    redact: {
      paths: [
        'authorization',
        'headers',
        'body',
        'payload',
        'secret',
        'key',
        '*.authorization',
        '*.headers',
        '*.body',
      ],
      censor: '[kept out]',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Nest's own lines, in the same form. Its start-up chatter is debug. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ context: contextOf(rest) }, textOf(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    const err = message instanceof Error ? { err: message } : {};
    this.logger.error({ context: contextOf(rest), ...err }, textOf(message));
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn({ context: contextOf(rest) }, textOf(message));
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ context: contextOf(rest) }, textOf(message));
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace({ context: contextOf(rest) }, textOf(message));
  }
}

function textOf(message: unknown): string {
  return message instanceof Error ? message.message : String(message);
}

function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
