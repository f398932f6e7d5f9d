import { Writable } from 'node:stream';
import { createLogger } from './logger.js';
import { VERSION } from './version.js';

function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  log(createLogger('debug', sink));
  return text;
}

describe('A log line', () => {
  it('is one JSON object with level, time, service and version', () => {
    expect(JSON.parse(written((logger) => logger.info({ requestId: 'r1' }, 'done')))).toMatchObject({
      level: 'info',
      service: 'tenure',
      version: VERSION,
      requestId: 'r1',
      msg: 'done',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('tells of an error its name, code, place and cause, and nothing of the data it happened on', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      detail: 'Key (id)=(s3cret)',
      parameters: ['s3cret'],
    });
    const error = Object.assign(new Error('query failed', { cause }), { code: '23505', payload: 's3cret' });
    const line = written((logger) => logger.error({ err: error }, 'request failed'));
    expect(line).not.toContain('s3cret');
    expect(JSON.parse(line)).toMatchObject({
      err: { name: 'Error', code: '23505', message: 'query failed', cause: { message: 'duplicate key' } },
    });
    expect(line).toContain('logger.test');
  });

  it.each(['authorization', 'headers', 'body', 'payload', 'secret', 'key'])(
    'keeps %s out, should someone log it',
    (name) => {
      expect(written((logger) => logger.info({ [name]: 's3cret' }, 'oops'))).not.toContain('s3cret');
    },
  );
});
